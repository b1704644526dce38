-- Passwords, apart from users: a user need not have one, and reading a user never reads the hash.

CREATE TABLE password_credentials (
    user_id     BLOB    NOT NULL,
    -- A PHC string: algorithm, parameters, salt and hash.
    phc         TEXT    NOT NULL,
    changed_at  INTEGER NOT NULL,
    -- When a login found it in a list of breached passwords.
    breached_at INTEGER,
    CONSTRAINT password_credentials_pkey PRIMARY KEY (user_id),
    CONSTRAINT password_credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    -- No plain text ends up here by mistake.
    CONSTRAINT password_credentials_phc_check CHECK (phc GLOB '$*$*')
) STRICT, WITHOUT ROWID;
