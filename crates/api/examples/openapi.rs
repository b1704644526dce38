//! Writes the OpenAPI document, as the code says that it is, to standard output.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let document = vestibule_api::openapi().to_pretty_json().map_err(io::Error::other)?;
    writeln!(io::stdout(), "{document}")
}
