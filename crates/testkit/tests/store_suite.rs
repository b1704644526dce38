//! The behavioural suite on both stores.

vestibule_testkit::store_suite!();
