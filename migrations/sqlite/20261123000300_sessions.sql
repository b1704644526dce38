-- Sessions and their refresh tokens (RFC 9700, section 4.14.2), which are stored as SHA-256 only.
--
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
    refresh_hash         BLOB    NOT NULL,
    refresh_parent_hash  BLOB,
    refresh_replaced_at  INTEGER,
    refresh_sealed_child BLOB,
    -- How often it was refreshed.
    rotations            INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_refresh_hash_key UNIQUE (refresh_hash),
    -- Two live children of one parent are impossible.
    CONSTRAINT sessions_refresh_parent_hash_key UNIQUE (refresh_parent_hash),
    CONSTRAINT sessions_id_check CHECK (length(id) = 16),
    CONSTRAINT sessions_refresh_hash_check CHECK (length(refresh_hash) = 32),
    CONSTRAINT sessions_refresh_parent_hash_check CHECK (length(refresh_parent_hash) = 32),
    CONSTRAINT sessions_refresh_parent_check CHECK (
        (refresh_parent_hash IS NULL) = (refresh_replaced_at IS NULL)
        AND (refresh_parent_hash IS NOT NULL OR refresh_sealed_child IS NULL)
    ),
    CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    -- So that `idle_expires_at` alone tells whether a session has expired.
    CONSTRAINT sessions_idle_expires_at_check CHECK (idle_expires_at <= expires_at)
) STRICT;

-- A user's live sessions, which are counted without reading them; also what deleting the user looks for.
CREATE INDEX sessions_user_id_idx ON sessions (user_id, ended_at, idle_expires_at);
-- What housekeeping looks for: since when a session has been over. The min of anything and a NULL is NULL.
CREATE INDEX sessions_over_idx ON sessions (min(coalesce(ended_at, idle_expires_at), idle_expires_at));
-- And the sealed children, of which few are left.
CREATE INDEX sessions_sealed_idx ON sessions (refresh_replaced_at) WHERE refresh_sealed_child IS NOT NULL;

-- Every token that was ever replaced, the parents of today's included: presented again, it gives the thief away.
--
-- No foreign keys, and an end of its own: a session has thousands of them, so whoever deletes a session or a user leaves
-- them to housekeeping, which takes them in portions once the session could not be refreshed any more.
CREATE TABLE spent_refresh_tokens (
    hash       BLOB    NOT NULL,
    session_id BLOB    NOT NULL,
    -- The session's.
    expires_at INTEGER NOT NULL,
    CONSTRAINT spent_refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT spent_refresh_tokens_hash_check CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

-- What housekeeping looks for.
CREATE INDEX spent_refresh_tokens_expires_at_idx ON spent_refresh_tokens (expires_at);

-- A refresh is one statement, and SQLite's statements write one table each.
CREATE TRIGGER sessions_refresh_hash_spent AFTER UPDATE OF refresh_hash ON sessions
BEGIN
    INSERT INTO spent_refresh_tokens (hash, session_id, expires_at) VALUES (old.refresh_hash, new.id, new.expires_at);
END;
