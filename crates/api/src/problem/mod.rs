//! Errors as clients read them: problem details (RFC 9457).

mod code;
mod page;
mod wire;

pub(crate) use code::Code;
pub(crate) use wire::{FieldError, Problem};

use crate::endpoints::endpoints;

endpoints!(page::problem_page);
