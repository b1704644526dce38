//! New migrations are embedded, and `scripts/sqlx-data` has every query looked at again, without a change of code.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/postgres");
    println!("cargo:rerun-if-env-changed=SQLX_OFFLINE_DIR");
}
