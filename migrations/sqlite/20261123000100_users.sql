-- Who can have an account, and the roles given to them.
--
-- Ids are UUIDv7 as 16 bytes, so that their order is the order of registration; times are milliseconds since 1970.
-- Text compares bytewise (BINARY, SQLite's default), because the application alone decides which addresses are the
-- same. CHECKs hold what no version will ever do; lists that grow (roles, reasons, kinds) are the application's,
-- because SQLite cannot alter a CHECK without copying the table.

CREATE TABLE users (
    id              BLOB    NOT NULL,
    email_canonical TEXT    NOT NULL,
    email_written   TEXT    NOT NULL,
    email_verified  INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    name_folded     TEXT    NOT NULL,
    disabled_at     INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_login_at   INTEGER,
    -- Counts every change of the record: the ETag.
    version         INTEGER NOT NULL,
    -- Counts what makes earlier proofs of identity worthless.
    epoch           INTEGER NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical),
    CONSTRAINT users_id_check CHECK (length(id) = 16),
    CONSTRAINT users_email_canonical_check CHECK (length(email_canonical) BETWEEN 3 AND 254),
    CONSTRAINT users_email_verified_check CHECK (email_verified IN (0, 1)),
    CONSTRAINT users_name_check CHECK (name <> ''),
    CONSTRAINT users_version_check CHECK (version >= 1),
    CONSTRAINT users_epoch_check CHECK (epoch >= 1)
) STRICT;

-- The search by the beginning of a name; that of an address uses the unique index.
CREATE INDEX users_name_folded_idx ON users (name_folded);
-- The list of the disabled ones, who are few.
CREATE INDEX users_disabled_idx ON users (id) WHERE disabled_at IS NOT NULL;

CREATE TABLE user_roles (
    user_id BLOB NOT NULL,
    role    TEXT NOT NULL,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role),
    CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    -- Roles are read as one text with spaces between.
    CONSTRAINT user_roles_role_check CHECK (role <> '' AND instr(role, ' ') = 0)
) STRICT, WITHOUT ROWID;

-- Who has a role, in order of id: the list, and the last administrator.
CREATE INDEX user_roles_role_idx ON user_roles (role, user_id);
