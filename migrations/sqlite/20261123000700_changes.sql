-- The change feed: what processes that answer from memory must forget. Rows of users who are gone stay until they
-- are a day old, hence no foreign keys.

CREATE TABLE changes (
    -- AUTOINCREMENT: a number is never used again, even after the newest row was purged.
    number     INTEGER NOT NULL CONSTRAINT changes_pkey PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    user_id    BLOB,
    session_id BLOB,
    at         INTEGER NOT NULL
) STRICT;

-- What housekeeping looks for.
CREATE INDEX changes_at_idx ON changes (at);
