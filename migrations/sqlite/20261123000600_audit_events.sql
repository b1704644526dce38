-- The audit trail. No foreign keys: it outlives the users and sessions that it tells of.

CREATE TABLE audit_events (
    id         BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    actor_id   BLOB,
    subject_id BLOB,
    session_id BLOB,
    key_id     BLOB,
    -- Which client did it, or was made or deleted.
    client_id  BLOB,
    reason     TEXT,
    ip         TEXT,
    user_agent TEXT,
    request_id TEXT,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_id_check CHECK (length(id) = 16),
    CONSTRAINT audit_events_actor_check CHECK ((actor = 'user') = (actor_id IS NOT NULL))
) STRICT;

-- The trail of one user, and that of one kind, in order of id, which is the order of time. Rows about nobody are in
-- the first one too: a failed login must take as long whether or not its account exists.
CREATE INDEX audit_events_subject_id_idx ON audit_events (subject_id, id);
CREATE INDEX audit_events_kind_idx ON audit_events (kind, id);

-- Nobody rewrites history, by mistake at least: whoever means to must first drop these, and that shows.
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

-- REPLACE deletes the old row without asking the trigger above.
CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;
