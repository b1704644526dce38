-- Sessions and their refresh tokens (RFC 9700, section 4.14.2), which are stored as SHA-256 only.
--
-- A session's row is the truth about its token: `refresh_hash` is the one that counts. Its parent stands beside it,
-- with the sealed child that the parent still gets for a few seconds and that housekeeping then takes away.

-- The foreign key stops writes to `users` for a moment: rather fail than let every login queue behind a long one.
SET LOCAL lock_timeout = '2s';

CREATE TABLE sessions (
    id                   uuid        NOT NULL,
    user_id              uuid        NOT NULL,
    created_at           timestamptz NOT NULL,
    last_seen_at         timestamptz NOT NULL,
    authenticated_at     timestamptz NOT NULL,
    expires_at           timestamptz NOT NULL,
    idle_expires_at      timestamptz NOT NULL,
    ended_at             timestamptz,
    end_reason           text,
    ip                   text,
    user_agent           text,
    -- RFC 8176 names with spaces between.
    amr                  text        NOT NULL,
    refresh_hash         bytea       NOT NULL,
    refresh_parent_hash  bytea,
    refresh_replaced_at  timestamptz,
    refresh_sealed_child bytea,
    -- How often it was refreshed.
    rotations            bigint      NOT NULL DEFAULT 0,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_refresh_hash_key UNIQUE (refresh_hash),
    -- Two live children of one parent are impossible.
    CONSTRAINT sessions_refresh_parent_hash_key UNIQUE (refresh_parent_hash),
    CONSTRAINT sessions_refresh_hash_check CHECK (octet_length(refresh_hash) = 32),
    CONSTRAINT sessions_refresh_parent_hash_check CHECK (octet_length(refresh_parent_hash) = 32),
    CONSTRAINT sessions_refresh_parent_check CHECK (
        (refresh_parent_hash IS NULL) = (refresh_replaced_at IS NULL)
        AND (refresh_parent_hash IS NOT NULL OR refresh_sealed_child IS NULL)
    ),
    CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    -- So that `idle_expires_at` alone tells whether a session has expired.
    CONSTRAINT sessions_idle_expires_at_check CHECK (idle_expires_at <= expires_at)
);

-- All sessions of a user: what deleting the user looks for.
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- The live ones in the order of their beginning: the list, the count, the oldest that make room.
CREATE INDEX sessions_live_idx ON sessions (user_id, created_at, id) WHERE ended_at IS NULL;
-- What housekeeping looks for: since when a session has been over. LEAST ignores a NULL.
CREATE INDEX sessions_over_idx ON sessions (LEAST(ended_at, idle_expires_at));
-- And the sealed children, of which few are left.
CREATE INDEX sessions_sealed_idx ON sessions (refresh_replaced_at) WHERE refresh_sealed_child IS NOT NULL;

-- Every token that was ever replaced, the parents of today's included: presented again, it gives the thief away.
--
-- No foreign keys, and an end of its own: a session has thousands of them, so whoever deletes a session or a user leaves
-- them to housekeeping, which takes them in portions once the session could not be refreshed any more.
CREATE TABLE spent_refresh_tokens (
    -- Also what makes two children of one token impossible, for as long as the session may be refreshed.
    hash       bytea       NOT NULL,
    session_id uuid        NOT NULL,
    -- The session's.
    expires_at timestamptz NOT NULL,
    CONSTRAINT spent_refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT spent_refresh_tokens_hash_check CHECK (octet_length(hash) = 32)
);

-- What housekeeping looks for.
CREATE INDEX spent_refresh_tokens_expires_at_idx ON spent_refresh_tokens (expires_at);
