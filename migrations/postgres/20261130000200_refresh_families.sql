-- A refresh token names its session and has a family secret, which all tokens of the session share (RFC 9700, section
-- 4.14.2). So one that was replaced is known without a row of its own, and a refresh writes one row.
--
-- Tokens issued before name no session, so all sessions are deleted: everybody logs in once more. Processes of the
-- version before can neither log anybody in nor refresh from now on.

SET LOCAL lock_timeout = '2s';

TRUNCATE sessions;
DROP TABLE spent_refresh_tokens;

-- A constraint of a table is read anew with each statement that writes to it, that of a type is not.
CREATE DOMAIN sha256_hash AS bytea CONSTRAINT sha256_hash_check CHECK (octet_length(VALUE) = 32);

-- Of the day in which the time is, by UTC. Whoever plans a statement puts the body in its place.
CREATE FUNCTION day_end(timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN date_bin('1 day', $1, TIMESTAMPTZ 'epoch') + INTERVAL '24 hours';

DROP INDEX sessions_over_idx, sessions_sealed_idx;
ALTER TABLE sessions
    DROP COLUMN rotations,
    -- Of the family secret; `refresh_hash` and `refresh_parent_hash` are those of the current token's secret and of its
    -- parent's.
    ADD COLUMN refresh_family_hash sha256_hash NOT NULL,
    DROP CONSTRAINT sessions_refresh_hash_key,
    DROP CONSTRAINT sessions_refresh_hash_check,
    ALTER COLUMN refresh_hash TYPE sha256_hash,
    DROP CONSTRAINT sessions_refresh_parent_hash_key,
    DROP CONSTRAINT sessions_refresh_parent_hash_check,
    ALTER COLUMN refresh_parent_hash TYPE sha256_hash,
    -- For the indexes below, as what stands in the expression or the condition of one counts as part of it. These two
    -- change once a day (it is the end of that in which `idle_expires_at` is), and with the first refresh after
    -- housekeeping.
    ADD COLUMN idle_expires_day timestamptz NOT NULL,
    DROP CONSTRAINT sessions_idle_expires_at_check,
    -- So that `idle_expires_at` alone tells whether a session has expired.
    ADD CONSTRAINT sessions_idle_expires_at_check CHECK (
        idle_expires_at <= expires_at AND idle_expires_at < idle_expires_day
    ),
    ADD COLUMN refresh_is_sealed boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT sessions_refresh_parent_check,
    ADD CONSTRAINT sessions_refresh_parent_check CHECK (
        (refresh_parent_hash IS NULL) = (refresh_replaced_at IS NULL)
        AND (refresh_parent_hash IS NOT NULL OR refresh_sealed_child IS NULL)
        AND refresh_is_sealed = (refresh_sealed_child IS NOT NULL)
    ),
    -- Room for the next version of a row in its page: a refresh that changes nothing that is in an index then writes
    -- none.
    SET (fillfactor = 70);

-- What housekeeping looks for: since when a session has been over, to a day. LEAST ignores a NULL.
CREATE INDEX sessions_over_idx ON sessions (LEAST(ended_at, idle_expires_day));
-- And the sealed children: of the sessions that were refreshed since housekeeping last went over them.
CREATE INDEX sessions_sealed_idx ON sessions (id) WHERE refresh_is_sealed;
