-- Who can have an account, and the roles given to them.
--
-- Columns that decide who is who compare bytewise (COLLATE "C"): the application alone says which addresses are the
-- same, and an index in another collation would change its order with the operating system's C library. CHECKs hold
-- what no version will ever do; lists that grow (roles, reasons, kinds) are the application's, so that two versions
-- can run on one database.

CREATE TABLE users (
    id              uuid             NOT NULL,
    email_canonical text COLLATE "C" NOT NULL,
    email_written   text             NOT NULL,
    email_verified  boolean          NOT NULL,
    name            text             NOT NULL,
    name_folded     text COLLATE "C" NOT NULL,
    disabled_at     timestamptz,
    created_at      timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL,
    last_login_at   timestamptz,
    -- Counts every change of the record: the ETag.
    version         bigint           NOT NULL,
    -- Counts what makes earlier proofs of identity worthless.
    epoch           bigint           NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical),
    CONSTRAINT users_email_canonical_check CHECK (octet_length(email_canonical) BETWEEN 3 AND 254),
    CONSTRAINT users_name_check CHECK (name <> ''),
    CONSTRAINT users_version_check CHECK (version >= 1),
    CONSTRAINT users_epoch_check CHECK (epoch >= 1)
);

-- The search by the beginning of a name; that of an address uses the unique index.
CREATE INDEX users_name_folded_idx ON users (name_folded);
-- The list of the disabled ones, who are few.
CREATE INDEX users_disabled_idx ON users (id) WHERE disabled_at IS NOT NULL;

CREATE TABLE user_roles (
    user_id uuid             NOT NULL,
    role    text COLLATE "C" NOT NULL,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role),
    CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_roles_role_check CHECK (role <> '')
);

-- Who has a role, in order of id: the list, and the last administrator.
CREATE INDEX user_roles_role_idx ON user_roles (role, user_id);
