-- Clients: other services of the operator, which ask about tokens and take them back.

CREATE TABLE clients (
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    -- SHA-256 of 256 random bits.
    secret_hash bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT clients_pkey PRIMARY KEY (id),
    CONSTRAINT clients_name_check CHECK (name <> ''),
    CONSTRAINT clients_secret_hash_check CHECK (octet_length(secret_hash) = 32)
);
