-- A refresh token names its session and brings a secret that all tokens of the session share (RFC 9700, section 4.14.2).
-- So one that was replaced is known without a row of its own, and a refresh writes one row and no index.
--
-- The tokens of before name no session: their sessions are gone with this, and everybody logs in once more.

-- The foreign key stops writes to `users` for a moment: rather fail than let every login queue behind a long one.
SET LOCAL lock_timeout = '2s';

DROP TABLE spent_refresh_tokens;
DROP TABLE sessions;

-- A session's row is the truth about its token: `refresh_hash` is the one that counts. Its parent stands beside it,
-- with the sealed child that the parent still gets for a few seconds and that housekeeping then takes away. All hashes
-- are SHA-256.
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
    -- Of what all its tokens have in common.
    refresh_family_hash  bytea       NOT NULL,
    -- Of what the current one has alone, and its parent.
    refresh_hash         bytea       NOT NULL,
    refresh_parent_hash  bytea,
    refresh_replaced_at  timestamptz,
    refresh_sealed_child bytea,
    refresh_is_sealed    boolean     NOT NULL GENERATED ALWAYS AS (refresh_sealed_child IS NOT NULL) STORED,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_refresh_family_hash_check CHECK (octet_length(refresh_family_hash) = 32),
    CONSTRAINT sessions_refresh_hash_check CHECK (octet_length(refresh_hash) = 32),
    CONSTRAINT sessions_refresh_parent_hash_check CHECK (octet_length(refresh_parent_hash) = 32),
    CONSTRAINT sessions_refresh_parent_check CHECK (
        (refresh_parent_hash IS NULL) = (refresh_replaced_at IS NULL)
        AND (refresh_parent_hash IS NOT NULL OR refresh_sealed_child IS NULL)
    ),
    CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    -- So that `idle_expires_at` alone tells whether a session has expired.
    CONSTRAINT sessions_idle_expires_at_check CHECK (idle_expires_at <= expires_at)
-- Room for the row's next version in the same page: then PostgreSQL touches no index, because a refresh changes nothing
-- that is in one. Nothing that it changes may be in one.
) WITH (fillfactor = 80);

-- All sessions of a user: what deleting the user looks for.
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
-- The live ones in the order of their beginning: the list, the count, the oldest that make room.
CREATE INDEX sessions_live_idx ON sessions (user_id, created_at, id) WHERE ended_at IS NULL;
-- What housekeeping looks for: since when a session has been over at the latest. LEAST ignores a NULL.
CREATE INDEX sessions_over_idx ON sessions (LEAST(ended_at, expires_at));
-- And the sealed children, of which few are left. By a column that says so: the child itself is another one each time.
CREATE INDEX sessions_sealed_idx ON sessions (id) WHERE refresh_is_sealed;
