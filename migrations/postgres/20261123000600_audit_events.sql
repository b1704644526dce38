-- The audit trail. No foreign keys: it outlives the users and sessions that it tells of.

CREATE TABLE audit_events (
    id         uuid        NOT NULL,
    at         timestamptz NOT NULL,
    kind       text        NOT NULL,
    actor      text        NOT NULL,
    actor_id   uuid,
    subject_id uuid,
    session_id uuid,
    key_id     uuid,
    -- Which client did it, or was made or deleted.
    client_id  uuid,
    reason     text,
    ip         text,
    user_agent text,
    request_id text,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_actor_check CHECK ((actor = 'user') = (actor_id IS NOT NULL))
);

-- The trail of one user, and that of one kind, in order of id, which is the order of time. Rows about nobody are in
-- the first one too: a failed login must take as long whether or not its account exists.
CREATE INDEX audit_events_subject_id_idx ON audit_events (subject_id, id);
CREATE INDEX audit_events_kind_idx ON audit_events (kind, id);

-- Nobody rewrites history, by mistake at least: whoever means to must first drop the trigger, and that shows.
CREATE FUNCTION audit_events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse_change();
