-- The keys that sign access tokens. A key's state follows from its times.

CREATE TABLE signing_keys (
    id                 uuid        NOT NULL,
    algorithm          text        NOT NULL,
    generation         bigint      NOT NULL,
    -- SubjectPublicKeyInfo (RFC 5280), DER.
    public_key         bytea       NOT NULL,
    -- PKCS #8, encrypted under the master key, which is not in this database.
    sealed_private_key bytea       NOT NULL,
    created_at         timestamptz NOT NULL,
    activates_at       timestamptz NOT NULL,
    retires_at         timestamptz,
    revoked_at         timestamptz,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (id),
    -- Of two processes that add a key at once, one is first.
    CONSTRAINT signing_keys_generation_key UNIQUE (generation),
    CONSTRAINT signing_keys_generation_check CHECK (generation >= 1)
);
