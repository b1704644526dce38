-- Registrations that clients may repeat: what came of the first one under a key, for a day.
--
-- Both hashes are keyed, and their key is not in this file: a registration has a password in it. No foreign key: the
-- first answer stays what it was when its user is gone.

CREATE TABLE idempotency_keys (
    key        BLOB    NOT NULL,
    request    BLOB    NOT NULL,
    -- None if the address was taken.
    user_id    BLOB,
    created_at INTEGER NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key),
    CONSTRAINT idempotency_keys_key_check CHECK (length(key) = 32),
    CONSTRAINT idempotency_keys_request_check CHECK (length(request) = 32),
    CONSTRAINT idempotency_keys_user_id_check CHECK (length(user_id) = 16)
) STRICT, WITHOUT ROWID;

-- What housekeeping looks for.
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
