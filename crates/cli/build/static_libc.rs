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

/// From this minor version on a C library applies relocations that are packed, a hundredth of the size.
const APPLIES_PACKED: u32 = 36;

/// What to tell the linker, for which it needs `directory` of its own; nothing where the system has no such archives.
///
/// The standard library asks for libc.so unless all crates are compiled with `-C target-feature=+crt-static`, and
/// neither a package nor a profile can ask for that. So the linker finds the archives by the names of the others.
pub(crate) fn arguments(directory: &Path) -> io::Result<Vec<String>> {
    let archives = LIBRARIES.iter().map(|(_, archive)| format!("lib{archive}.a"));
    for needed in archives.chain([BEGINNING.to_owned()]) {
        if !is_there(&needed)? {
            return Ok(Vec::new());
        }
    }
    for (library, archive) in LIBRARIES {
        write(directory.join(format!("lib{library}.so")), format!("INPUT(lib{archive}.a)\n"))?;
    }
    let mut arguments = vec!["-static-pie".to_owned(), format!("-L{}", directory.display())];
    if minor_version()?.is_some_and(|version| version >= APPLIES_PACKED) {
        arguments.push("-Wl,-z,pack-relative-relocs".to_owned());
    }
    Ok(arguments)
}

fn is_there(file: &str) -> io::Result<bool> {
    // What it does not find it repeats.
    Ok(Path::new(cc(&[&format!("-print-file-name={file}")])?.trim_end()).is_absolute())
}

fn minor_version() -> io::Result<Option<u32>> {
    let defined = cc(&["-E", "-dM", "-include", "features.h", "-xc", "/dev/null"])?;
    Ok(defined.lines().find_map(|line| line.strip_prefix("#define __GLIBC_MINOR__ ")?.parse().ok()))
}

fn cc(arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("cc").args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
