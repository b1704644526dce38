//! Has the linker put beside each other what a running service executes (docs/decisions/0021), and the C library into the
//! binary (docs/decisions/0025).

#[path = "build/static_libc.rs"]
mod static_libc;

use std::env::var;
use std::error::Error;
use std::path::Path;
use std::process::Command;

const FUNCTIONS: &str = "functions.ld";
/// There the compiler links by the LLD that it brings, which the script is for: GNU ld would make constants executable
/// with it, and others do not know such scripts.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Where somebody may choose another linker, beside cargo's own configuration.
const CHOICES: [&str; 3] =
    ["RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FUNCTIONS}");
    for choice in CHOICES {
        println!("cargo::rerun-if-env-changed={choice}");
    }
    let is = |name, value| var(name).is_ok_and(|found| found == value);
    if is("TARGET", TARGET)
        && is("PROFILE", "release")
        && !links_otherwise()
        && brings_lld()
        && let Ok(package) = var("CARGO_MANIFEST_DIR")
    {
        println!("cargo::rustc-link-arg-bins=-T{package}/{FUNCTIONS}");
        for argument in static_libc::arguments(Path::new(&var("OUT_DIR")?))? {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
    Ok(())
}

fn links_otherwise() -> bool {
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let choices = ["linker", "fuse-ld", "relocation-model", "no-pie", "crt-static", "sanitizer"];
    var("RUSTC_LINKER").is_ok() || choices.iter().any(|choice| flags.contains(choice))
}

/// A distribution's compiler may have the same name for its target, and link by what the system has.
fn brings_lld() -> bool {
    let Ok(rustc) = var("RUSTC") else { return false };
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else { return false };
    let sysroot = String::from_utf8_lossy(&output.stdout);
    Path::new(sysroot.trim_end()).join("lib/rustlib").join(TARGET).join("bin/gcc-ld/ld.lld").exists()
}
