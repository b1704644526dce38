//! What is hashed.

/// The inputs of argon2 beside its parameters (RFC 9106, section 3.1).
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) secret: &'a [u8],
    pub(super) associated_data: &'a [u8],
}

impl<'a> Input<'a> {
    /// With neither a secret nor associated data.
    pub(super) fn new(password: &'a [u8], salt: &'a [u8]) -> Self {
        Self { password, salt, secret: &[], associated_data: &[] }
    }
}
