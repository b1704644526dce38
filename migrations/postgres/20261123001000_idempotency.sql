-- Registrations that clients may repeat: what came of the first one under a key, for a day.
--
-- Both hashes are keyed, and their key is not in this database: a registration has a password in it. No foreign key:
-- the first answer stays what it was when its user is gone.

CREATE TABLE idempotency_keys (
    key        bytea       NOT NULL,
    request    bytea       NOT NULL,
    -- None if the address was taken.
    user_id    uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key),
    CONSTRAINT idempotency_keys_key_check CHECK (octet_length(key) = 32),
    CONSTRAINT idempotency_keys_request_check CHECK (octet_length(request) = 32)
);

-- What housekeeping looks for.
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
