//! Has the C library linked into the binary (docs/decisions/0025).

use std::fs::write;
use std::io;
use std::path::Path;
use std::process::Command;

/// What the compiler names for the linker, and the archive that is there instead.
const LIBRARIES: [(&str, &str); 7] =
    [("c", "c"), ("dl", "dl"), ("gcc_s", "gcc_eh"), ("m", "m"), ("pthread", "pthread"), ("rt", "rt"), ("util", "util")];
/// What a program begins with that has its C library in it and may be anywhere in memory.
const BEGINNING: &str = "rcrt1.o";

/// Minor versions of glibc. From this one on it finds hosts by files and DNS without loading a library.
const LOADS_NOTHING: u32 = 34;
/// From this one on it applies relocations that are packed, which take a hundredth of the space.
const APPLIES_PACKED: u32 = 36;

/// What to tell the linker, for which it needs `directory` of its own; nothing where the system has no such archives, or
/// none that are new enough.
///
/// The standard library asks for libc.so unless all crates are compiled with `-C target-feature=+crt-static`, and
/// neither a package nor a profile can ask for that. So the linker finds the archives by the names of the others.
pub(crate) fn arguments(directory: &Path) -> io::Result<Vec<String>> {
    let version = minor_version()?.unwrap_or_default();
    if version < LOADS_NOTHING {
        return Ok(Vec::new());
    }
    let archives = LIBRARIES.iter().map(|(_, archive)| format!("lib{archive}.a"));
    for needed in archives.chain([BEGINNING.to_owned()]) {
        let Some(found) = find(&needed)? else { return Ok(Vec::new()) };
        println!("cargo::rerun-if-changed={found}");
    }
    for (library, archive) in LIBRARIES {
        write(directory.join(format!("lib{library}.so")), format!("INPUT(lib{archive}.a)\n"))?;
    }
    let mut arguments = vec!["-static-pie".to_owned(), format!("-L{}", directory.display())];
    if version >= APPLIES_PACKED {
        arguments.push("-Wl,-z,pack-relative-relocs".to_owned());
    }
    Ok(arguments)
}

fn find(file: &str) -> io::Result<Option<String>> {
    let found = cc(&[&format!("-print-file-name={file}")])?.trim_end().to_owned();
    // What it does not find it repeats.
    Ok(Path::new(&found).is_absolute().then_some(found))
}

fn minor_version() -> io::Result<Option<u32>> {
    let defined = cc(&["-E", "-dM", "-include", "features.h", "-xc", "/dev/null"])?;
    Ok(defined.lines().find_map(|line| line.strip_prefix("#define __GLIBC_MINOR__ ")?.parse().ok()))
}

fn cc(arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("cc").args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
