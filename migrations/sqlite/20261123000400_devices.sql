-- Devices from which a user has logged in: the SHA-256 of the token that each keeps.

CREATE TABLE devices (
    hash       BLOB    NOT NULL,
    user_id    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT devices_pkey PRIMARY KEY (hash),
    CONSTRAINT devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT devices_hash_check CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

-- A user's devices, the oldest first; also what deleting the user looks for.
CREATE INDEX devices_user_id_idx ON devices (user_id, created_at);
-- What housekeeping looks for.
CREATE INDEX devices_expires_at_idx ON devices (expires_at);
