-- A login is one statement, and SQLite's statements write one table each. The trigger puts what is inserted here where it
-- belongs. There is nothing to read: the view only gives names to what a login consists of.
--
-- Whoever rebuilds one of the tables drops the trigger before, and makes it anew. While a file is migrated a process of
-- the version before may go on inserting here: what it does not give is NULL.
CREATE VIEW logins (
    -- The user, as the login leaves them; most of it only for RETURNING.
    id, email_canonical, email_written, email_verified, name, disabled_at, created_at, updated_at, last_login_at, version,
    epoch, roles,
    -- The session, which begins at `last_login_at`. The trail has its `ip` and `user_agent` as well.
    session_id, last_seen_at, authenticated_at, expires_at, idle_expires_at, ip, user_agent, amr, refresh_hash,
    -- The device that is to be known, or none; and how many a user can have.
    device_hash, device_expires_at, most_devices,
    -- The trail.
    succeeded_id, succeeded_at, succeeded_kind, actor, actor_id, reason, request_id,
    -- The sessions that make room, as an array of their ids in hexadecimal, and the trail of that.
    displaced, end_reason, displaced_id, displaced_at, displaced_kind, displaced_reason,
    -- The feed: the kinds of its rows.
    user_changed, session_ended
) AS
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL;

CREATE TRIGGER logins_insert INSTEAD OF INSERT ON logins
BEGIN
    UPDATE users SET last_login_at = new.last_login_at, version = new.version WHERE id = new.id;

    UPDATE sessions SET ended_at = new.last_login_at, end_reason = new.end_reason
    WHERE id IN (SELECT unhex(value) FROM json_each(new.displaced));

    INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at, ip,
                          user_agent, amr, refresh_hash)
    VALUES (new.session_id, new.id, new.last_login_at, new.last_seen_at, new.authenticated_at, new.expires_at,
            new.idle_expires_at, new.ip, new.user_agent, new.amr, new.refresh_hash);

    INSERT INTO devices (hash, user_id, created_at, expires_at)
    SELECT new.device_hash, new.id, new.last_login_at, new.device_expires_at WHERE new.device_hash IS NOT NULL;

    DELETE FROM devices
    WHERE hash IN (SELECT hash FROM devices
                   WHERE user_id = new.id
                   ORDER BY created_at DESC, hash = new.device_hash DESC
                   LIMIT -1 OFFSET new.most_devices);

    INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, reason, ip, user_agent, request_id)
    VALUES (new.succeeded_id, new.succeeded_at, new.succeeded_kind, new.actor, new.actor_id, new.id, new.session_id,
            new.reason, new.ip, new.user_agent, new.request_id);

    INSERT INTO audit_events (id, at, kind, actor, actor_id, subject_id, session_id, reason, ip, user_agent, request_id)
    SELECT new.displaced_id, new.displaced_at, new.displaced_kind, new.actor, new.actor_id, new.id, new.session_id,
           new.displaced_reason, new.ip, new.user_agent, new.request_id
    WHERE new.displaced <> '[]';

    INSERT INTO changes (kind, user_id, session_id, at)
    SELECT new.session_ended, new.id, unhex(value), new.last_login_at FROM json_each(new.displaced);

    INSERT INTO changes (kind, user_id, at) VALUES (new.user_changed, new.id, new.last_login_at);
END;
