//! Errors as clients read them: problem details (RFC 9457).

mod code;
pub mod page;
mod wire;

pub use code::Code;
pub use wire::{FieldError, Problem};
