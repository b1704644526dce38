-- The change feed: what processes that answer from memory must forget. Rows of users who are gone stay until they
-- are a day old, hence no foreign keys.

CREATE TABLE changes (
    -- Taken when a transaction writes, seen when it commits: readers must expect a lower number after a higher one.
    number     bigint GENERATED ALWAYS AS IDENTITY,
    kind       text        NOT NULL,
    user_id    uuid,
    session_id uuid,
    at         timestamptz NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (number)
);

-- What housekeeping looks for.
CREATE INDEX changes_at_idx ON changes (at);
