-- The keys that sign access tokens. A key's state follows from its times.

CREATE TABLE signing_keys (
    id                 BLOB    NOT NULL,
    algorithm          TEXT    NOT NULL,
    generation         INTEGER NOT NULL,
    -- SubjectPublicKeyInfo (RFC 5280), DER.
    public_key         BLOB    NOT NULL,
    -- PKCS #8, encrypted under the master key, which is not in this database.
    sealed_private_key BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    activates_at       INTEGER NOT NULL,
    retires_at         INTEGER,
    revoked_at         INTEGER,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id),
    -- Of two processes that add a key at once, one is first.
    CONSTRAINT signing_keys_generation_key UNIQUE (generation),
    CONSTRAINT signing_keys_id_check CHECK (length(id) = 16),
    CONSTRAINT signing_keys_generation_check CHECK (generation >= 1)
) STRICT;
