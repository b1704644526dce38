-- Passwords, apart from users: a user need not have one, and reading a user never reads the hash.

-- The foreign key stops writes to `users` for a moment: rather fail than let every login queue behind a long one.
SET LOCAL lock_timeout = '2s';

CREATE TABLE password_credentials (
    user_id     uuid        NOT NULL,
    -- A PHC string: algorithm, parameters, salt and hash.
    phc         text        NOT NULL,
    changed_at  timestamptz NOT NULL,
    -- When a login found it in a list of breached passwords.
    breached_at timestamptz,
    CONSTRAINT password_credentials_pkey PRIMARY KEY (user_id),
    CONSTRAINT password_credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    -- No plain text ends up here by mistake.
    CONSTRAINT password_credentials_phc_check CHECK (phc LIKE '$%$%')
);
