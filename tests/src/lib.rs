//! End-to-end tests over real HTTP, on both stores: one binary, `e2e`, whose folders follow the URLs.
