-- A refresh writes the page with its session's row, and no index. SQLite writes every index on a column that a statement
-- sets, even to the value it had, and every index on a generated column that depends on one. So what indexes need of it
-- are ordinary columns, which a trigger writes when they change: once a day, and with the first refresh after
-- housekeeping.
--
-- SQLite cannot turn a generated column into an ordinary one: the table is made anew. A process of the version before
-- cannot open a session step by step from now on (a login that renews a hash or finds a breached password), as it does
-- not name the day.

DROP VIEW logins;
ALTER TABLE sessions RENAME TO sessions_before;
DROP INDEX sessions_user_id_idx;
DROP INDEX sessions_over_idx;
DROP INDEX sessions_sealed_idx;

-- A session's row is the truth about its token: `refresh_hash` is the one that counts. Its parent stands beside it,
-- with the sealed child that the parent still gets for a few seconds and that housekeeping then takes away.
CREATE TABLE sessions (
    id                   BLOB    NOT NULL,
    user_id              BLOB    NOT NULL,
    created_at           INTEGER NOT NULL,
    last_seen_at         INTEGER NOT NULL,
    authenticated_at     INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL,
    idle_expires_at      INTEGER NOT NULL,
    ended_at             INTEGER,
    end_reason           TEXT,
    ip                   TEXT,
    user_agent           TEXT,
    -- RFC 8176 names with spaces between.
    amr                  TEXT    NOT NULL,
    -- SHA-256 of the family secret.
    refresh_family_hash  BLOB    NOT NULL,
    -- SHA-256 of the current token's secret, and of its parent's.
    refresh_hash         BLOB    NOT NULL,
    refresh_parent_hash  BLOB,
    refresh_replaced_at  INTEGER,
    refresh_sealed_child BLOB,
    -- Kept right by triggers: the end of the day, by UTC, in which `idle_expires_at` is, and whether there is a sealed
    -- child.
    idle_expires_day     INTEGER NOT NULL,
    refresh_is_sealed    INTEGER NOT NULL DEFAULT FALSE,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_id_check CHECK (length(id) = 16),
    CONSTRAINT sessions_refresh_family_hash_check CHECK (length(refresh_family_hash) = 32),
    CONSTRAINT sessions_refresh_hash_check CHECK (length(refresh_hash) = 32),
    CONSTRAINT sessions_refresh_parent_hash_check CHECK (length(refresh_parent_hash) = 32),
    CONSTRAINT sessions_refresh_parent_check CHECK (
        (refresh_parent_hash IS NULL) = (refresh_replaced_at IS NULL)
        AND (refresh_parent_hash IS NOT NULL OR refresh_sealed_child IS NULL)
    ),
    CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    -- So that `idle_expires_at` alone tells whether a session has expired; and in which day it is, without a sign.
    CONSTRAINT sessions_idle_expires_at_check CHECK (idle_expires_at BETWEEN 0 AND expires_at)
) STRICT;

INSERT INTO sessions
SELECT id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at, ended_at, end_reason, ip,
       user_agent, amr, refresh_family_hash, refresh_hash, refresh_parent_hash, refresh_replaced_at, refresh_sealed_child,
       idle_expires_day, refresh_sealed_child IS NOT NULL
FROM sessions_before;
DROP TABLE sessions_before;

-- A user's live sessions. What expired on an earlier day is passed over, and one that does not expire within a day is known
-- to be live without its row. Also what deleting the user looks for.
CREATE INDEX sessions_user_id_idx ON sessions (user_id, ended_at, idle_expires_day, created_at, id);
-- What housekeeping looks for: since when a session has been over, to a day. The min of anything and a NULL is NULL.
CREATE INDEX sessions_over_idx ON sessions (min(coalesce(ended_at, idle_expires_day), idle_expires_day));
-- And the sealed children: of the sessions that were refreshed since housekeeping last went over them.
CREATE INDEX sessions_sealed_idx ON sessions (id) WHERE refresh_is_sealed;

-- One for each column, so that an index whose column stays is not written with the other.
CREATE TRIGGER sessions_day AFTER UPDATE OF idle_expires_at ON sessions
WHEN new.idle_expires_day - new.idle_expires_at NOT BETWEEN 1 AND 86400000
BEGIN
    UPDATE sessions SET idle_expires_day = new.idle_expires_at - new.idle_expires_at % 86400000 + 86400000
    WHERE id = new.id;
END;

CREATE TRIGGER sessions_mark AFTER UPDATE OF refresh_sealed_child ON sessions
WHEN new.refresh_is_sealed <> (new.refresh_sealed_child IS NOT NULL)
BEGIN
    UPDATE sessions SET refresh_is_sealed = new.refresh_sealed_child IS NOT NULL WHERE id = new.id;
END;

-- As before, with the day (20261130000100 says what it is for).
CREATE VIEW logins (
    -- The user, as the login leaves them; most of it only for RETURNING.
    id, email_canonical, email_written, email_verified, name, disabled_at, created_at, updated_at, last_login_at, version,
    epoch, roles,
    -- The session, which begins at `last_login_at`. The trail has its `ip` and `user_agent` as well.
    session_id, last_seen_at, authenticated_at, expires_at, idle_expires_at, ip, user_agent, amr,
    refresh_family_hash, refresh_hash,
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
       NULL, NULL;

CREATE TRIGGER logins_insert INSTEAD OF INSERT ON logins
BEGIN
    UPDATE users SET last_login_at = new.last_login_at, version = new.version WHERE id = new.id;

    UPDATE sessions SET ended_at = new.last_login_at, end_reason = new.end_reason
    WHERE id IN (SELECT unhex(value) FROM json_each(new.displaced));

    INSERT INTO sessions (id, user_id, created_at, last_seen_at, authenticated_at, expires_at, idle_expires_at,
                          idle_expires_day, ip, user_agent, amr, refresh_family_hash, refresh_hash)
    VALUES (new.session_id, new.id, new.last_login_at, new.last_seen_at, new.authenticated_at, new.expires_at,
            new.idle_expires_at, new.idle_expires_at - new.idle_expires_at % 86400000 + 86400000, new.ip,
            new.user_agent, new.amr, new.refresh_family_hash, new.refresh_hash);

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
