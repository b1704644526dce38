//! How the C library finds hosts and accounts by their names (docs/decisions/0025).

#![expect(unsafe_code, reason = "the C library is told by a call into it, and by nothing else")]

use std::ffi::{CStr, c_char, c_int};
use std::io;

/// What it does by itself: `/etc/hosts`, the servers that `/etc/resolv.conf` names, `/etc/passwd`. For all else that
/// `/etc/nsswitch.conf` may ask for it loads a library of the system's, and where it is part of the binary it crashes
/// then.
const WAYS: [(&CStr, &CStr); 2] = [(c"hosts", c"files dns"), (c"passwd", c"files")];

unsafe extern "C" {
    /// In place of what `/etc/nsswitch.conf` says, for this process (nss.h). Keeps neither of the two strings.
    fn __nss_configure_lookup(database: *const c_char, ways: *const c_char) -> c_int;
}

/// To be called before anything is looked up.
pub(crate) fn load_no_library() -> io::Result<()> {
    for (database, ways) in WAYS {
        // SAFETY: both end with a zero and live as long as the process.
        if unsafe { __nss_configure_lookup(database.as_ptr(), ways.as_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
