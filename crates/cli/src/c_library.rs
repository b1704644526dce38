//! What glibc, and through it Linux, does only when it is told to (docs/decisions/0025 and 0026).

#![expect(unsafe_code, reason = "the C library is told by calls into it, and by nothing else")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::num::NonZero;
use std::ops::Range;
use std::{env, fs, io, ptr};

/// How it finds names by itself: in files of `/etc`, and hosts at the servers of `/etc/resolv.conf` too. For all else that
/// `/etc/nsswitch.conf` may ask for it loads a library of the system's, and where it is part of the binary it may crash
/// then.
const WAYS: [(&CStr, &CStr); 5] = [
    (c"hosts", c"files dns"),
    (c"passwd", c"files"),
    (c"group", c"files"),
    (c"services", c"files"),
    (c"protocols", c"files"),
];

unsafe extern "C" {
    /// In place of what `/etc/nsswitch.conf` says, for this process (nss.h). Keeps neither of the two strings.
    fn __nss_configure_lookup(database: *const c_char, ways: *const c_char) -> c_int;
    /// Whole pages that nothing is in, wherever they are, but for so many bytes at the end of the heap (`malloc_trim(3)`).
    safe fn malloc_trim(kept: usize) -> c_int;
    /// `mallopt(3)`.
    safe fn mallopt(parameter: c_int, value: c_int) -> c_int;
    /// `madvise(2)`.
    fn madvise(address: *mut c_void, bytes: usize, advice: c_int) -> c_int;
}

/// To be called before anything is looked up.
pub(crate) fn load_no_library() -> io::Result<()> {
    for (database, ways) in WAYS {
        // SAFETY: both end with a zero and live as long as the process.
        if unsafe { __nss_configure_lookup(database.as_ptr(), ways.as_ptr()) } != 0 {
            return Err(io::Error::other(format!("glibc refuses to look up {database:?} in {ways:?}")));
        }
    }
    Ok(())
}

/// From how many heaps memory comes at most. To be called before there are threads. By itself glibc makes one for each,
/// up to eight for each core, and in each something is always free. Who has told glibc otherwise gets what they ask for.
pub(crate) fn limit_heaps(most: NonZero<usize>) {
    const M_ARENA_MAX: c_int = -8;
    if ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"].into_iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    mallopt(M_ARENA_MAX, c_int::try_from(most.get()).unwrap_or(c_int::MAX));
}

/// What was freed and is still kept for later. Takes 0.2 ms of an idle process, and of 50 MiB that are given back 10 ms.
pub(crate) fn give_free_memory_back() {
    malloc_trim(0);
}

/// Lets go of the program in memory, its code and its constants. What is used is there again after a page fault for each
/// 64 KiB, from the copy that the system keeps; what was used only once, as most of what the start needs, is not.
pub(crate) fn let_go_of_the_program() -> io::Result<()> {
    const MADV_DONTNEED: c_int = 4;
    let inside = let_go_of_the_program as fn() -> io::Result<()> as usize;
    for part in unwritten_parts(inside, &fs::read_to_string("/proc/self/smaps")?) {
        let begin = ptr::with_exposed_provenance_mut(part.start);
        // SAFETY: nobody has written to what is mapped there, and nobody may, so that it is read again as it is.
        if unsafe { madvise(begin, part.len(), MADV_DONTNEED) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// What is mapped, by its first line in `smaps` (`proc_pid_smaps(5)`).
struct Mapping<'a> {
    at: Range<usize>,
    permissions: &'a str,
    /// Its device and inode.
    file: (&'a str, &'a str),
    /// How many of the three signs it has that no page of it has been written to.
    unwritten: u8,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (begin, end) = fields.next()?.split_once('-')?;
        let at = usize::from_str_radix(begin, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        let permissions = fields.next()?;
        Some(Self { at, permissions, file: (fields.nth(1)?, fields.next()?), unwritten: 0 })
    }

    /// No page is the process's own, in memory (the relocated ones are, and those with a debugger's breakpoint) or
    /// swapped out; and nobody has ever been allowed to write (`VM_ACCOUNT`).
    fn note(&mut self, line: &str) {
        let is_sign = match line.split_once(':') {
            Some(("Anonymous" | "Swap", size)) => size.trim() == "0 kB",
            Some(("VmFlags", flags)) => !flags.split_ascii_whitespace().any(|flag| flag == "ac"),
            _ => false,
        };
        self.unwritten += u8::from(is_sign);
    }
}

/// Of the file whose code has the address in it. What the linker's relocations have written to can only be read by now as
/// well.
fn unwritten_parts(inside: usize, smaps: &str) -> Vec<Range<usize>> {
    let mut mappings: Vec<Mapping<'_>> = Vec::new();
    for line in smaps.lines() {
        if let Some(mapping) = Mapping::parse(line) {
            mappings.push(mapping);
        } else if let Some(mapping) = mappings.last_mut() {
            mapping.note(line);
        }
    }
    let code = mappings.iter().find(|mapping| mapping.at.contains(&inside) && mapping.permissions == "r-xp");
    let Some(program) = code.map(|mapping| mapping.file).filter(|(_, inode)| *inode != "0") else { return Vec::new() };
    let may_go = |mapping: &Mapping<'_>| {
        mapping.file == program && matches!(mapping.permissions, "r-xp" | "r--p") && mapping.unwritten == 3
    };
    mappings.into_iter().filter(may_go).map(|mapping| mapping.at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_has_written_to_is_let_go_of() {
        let told = |line: &str, own: u8, swapped: u8, flags: &str| {
            format!("{line}\nRss: 4 kB\nAnonymous:   {own} kB\nSwap:    {swapped} kB\nVmFlags: rd {flags}mr\n")
        };
        let mapped = |line: &str, own| told(line, own, 0, "");
        let smaps = [
            mapped("1000-2000 r--p 00000000 fe:00 77  /bin/a", 0),
            mapped("2000-4000 r-xp 00001000 fe:00 77  /bin/a", 0),
            mapped("4000-5000 r--p 00003000 fe:00 77  /bin/a", 4),
            mapped("5000-6000 rw-p 00004000 fe:00 77  /bin/a", 0),
            mapped("6000-7000 r-xs 00004000 fe:00 77  /bin/a", 0),
            mapped("7000-8000 r-xp 00000000 fe:01 77  /lib/b", 0),
            mapped("8000-9000 r-xp 00000000 00:00 0  [vdso]", 0),
            mapped("9000-a000 r--p 00000000 00:00 0 ", 0),
            told("a000-b000 r--p 00003000 fe:00 77  /bin/a", 0, 4, ""),
            told("b000-c000 r--p 00003000 fe:00 77  /bin/a", 0, 0, "ac "),
        ]
        .concat();
        for inside in [0x2000, 0x3fff] {
            assert_eq!(unwritten_parts(inside, &smaps), [0x1000..0x2000, 0x2000..0x4000], "{inside:x}");
        }
        let library = 0x7000..0x8000;
        assert_eq!(unwritten_parts(0x7fff, &smaps), [library]);
        for other in [0x1fff, 0x4000, 0x5000, 0x6000, 0x8000, 0x9000, 0xa000] {
            assert!(unwritten_parts(other, &smaps).is_empty(), "{other:x}");
        }
        for not_told in ["2000-4000 r-xp 00001000 fe:00 77  /bin/a\n", "not what is expected\n"] {
            assert!(unwritten_parts(0x2000, not_told).is_empty(), "{not_told}");
        }
    }
}
