//! Where the C library is not glibc, nothing has to be told.

use std::io;

#[expect(clippy::unnecessary_wraps, reason = "glibc can refuse")]
pub(crate) fn load_no_library() -> io::Result<()> {
    Ok(())
}

pub(crate) fn give_free_memory_back() {}
