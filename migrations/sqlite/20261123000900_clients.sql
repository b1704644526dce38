-- Clients: other services of the operator, which ask about tokens and take them back.

CREATE TABLE clients (
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    -- SHA-256 of 256 random bits.
    secret_hash BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    CONSTRAINT clients_pkey PRIMARY KEY (id),
    CONSTRAINT clients_id_check CHECK (length(id) = 16),
    CONSTRAINT clients_name_check CHECK (name <> ''),
    CONSTRAINT clients_secret_hash_check CHECK (length(secret_hash) = 32)
) STRICT;
