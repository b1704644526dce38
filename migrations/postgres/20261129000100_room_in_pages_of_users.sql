-- Each login changes the row of its user, but nothing that is in an index. With room for a second version in the same
-- page no index is touched; without, three are, in as many pages. It holds for pages filled from now on.

SET LOCAL lock_timeout = '2s';

ALTER TABLE users SET (fillfactor = 90);
