-- How often somebody has tried, and until when they may not.
--
-- A row is found by a keyed hash, and the key of that hash is not in this database: neither the addresses nor the
-- accounts that were tried can be read here, or found out by trying. Hence no foreign keys, and an account that does
-- not exist has its row like any other.

CREATE TABLE throttles (
    key           bytea       NOT NULL,
    full_at       timestamptz NOT NULL,
    failures      bigint      NOT NULL,
    closed_until  timestamptz NOT NULL,
    -- 24 bytes for each account: the beginning of its hash; when it was tried, in milliseconds since 1970; twice the
    -- number of attempts at it that run, and one more if one has failed.
    tried         bytea       NOT NULL,
    -- Attempts that are charged and not settled; and when none of them can be under way any more.
    running       bigint      NOT NULL,
    running_until timestamptz NOT NULL,
    is_reported   boolean     NOT NULL,
    expires_at    timestamptz NOT NULL,
    CONSTRAINT throttles_pkey PRIMARY KEY (key),
    CONSTRAINT throttles_key_check CHECK (octet_length(key) = 32),
    CONSTRAINT throttles_failures_check CHECK (failures BETWEEN 0 AND 4294967295),
    CONSTRAINT throttles_running_check CHECK (running BETWEEN 0 AND 4294967295),
    CONSTRAINT throttles_tried_check CHECK (octet_length(tried) % 24 = 0)
);

-- What housekeeping looks for.
CREATE INDEX throttles_expires_at_idx ON throttles (expires_at);
