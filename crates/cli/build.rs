//! Has the linker put beside each other what a running service executes (docs/decisions/0021).

use std::env::var;

const FUNCTIONS: &str = "functions.ld";
/// There the compiler links by LLD. GNU ld would make constants executable with it, others do not know such scripts.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed={FUNCTIONS}");
    let is = |name, value| var(name).is_ok_and(|found| found == value);
    // Who chose a linker of their own gets its order.
    let links_otherwise = var("RUSTC_LINKER").is_ok()
        || var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("linker") || flags.contains("fuse-ld"));
    if is("TARGET", TARGET)
        && is("PROFILE", "release")
        && !links_otherwise
        && let Ok(package) = var("CARGO_MANIFEST_DIR")
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{package}/{FUNCTIONS}");
    }
}
