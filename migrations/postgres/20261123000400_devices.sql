-- Devices from which a user has logged in: the SHA-256 of the token that each keeps.

-- The foreign key stops writes to `users` for a moment: rather fail than let every login queue behind a long one.
SET LOCAL lock_timeout = '2s';

CREATE TABLE devices (
    hash       bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT devices_pkey PRIMARY KEY (hash),
    CONSTRAINT devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT devices_hash_check CHECK (octet_length(hash) = 32)
);

-- A user's devices, the oldest first; also what deleting the user looks for.
CREATE INDEX devices_user_id_idx ON devices (user_id, created_at);
-- What housekeeping looks for.
CREATE INDEX devices_expires_at_idx ON devices (expires_at);
