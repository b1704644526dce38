//! Where the C library is not glibc, nothing has to be told.

use std::io;
use std::num::NonZero;

#[expect(clippy::unnecessary_wraps, reason = "glibc can refuse")]
pub(crate) fn load_no_library() -> io::Result<()> {
    Ok(())
}

pub(crate) fn limit_heaps(_: NonZero<usize>) {}

pub(crate) fn give_free_memory_back() {}

#[expect(clippy::unnecessary_wraps, reason = "Linux can refuse")]
pub(crate) fn let_go_of_the_program() -> io::Result<()> {
    Ok(())
}
