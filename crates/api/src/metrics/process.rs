//! What the kernel says of this process.

use std::fs;

/// Bytes in memory, where the kernel tells (`proc(5)`).
pub(super) fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?;
    Some(kib.parse::<u64>().ok()?.saturating_mul(1024))
}

/// Files and sockets that are open, where the kernel tells.
pub(super) fn open_files() -> Option<u64> {
    // One of them is the folder itself.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u64::try_from(open).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_in_memory_and_has_files_open() {
        assert!(resident_memory().unwrap() > 1024 * 1024);
        let before = open_files().unwrap();
        let _open: Vec<_> = (0..50).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        assert!(open_files().unwrap() >= before.saturating_add(25), "of 50, some may be those that others closed");
    }
}
