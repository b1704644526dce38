//! The hashes at both ends, by `BLAKE2b`.

#![forbid(unsafe_code)]

use super::ARGON2ID;
use crate::{Error, Input, Parameters};
use blake2::digest::array::Array;
use blake2::digest::block_api::{UpdateCore, VariableOutputCore};
use blake2::digest::block_buffer::LazyBuffer;
use blake2::{Blake2b512, Blake2bVarCore, Digest};

const VERSION: u32 = 0x13;

type Digest512 = [u8; 64];

/// `H_0` (RFC 9106, section 3.2).
pub(super) fn first_digest(
    Parameters { memory_kib, passes, lanes }: Parameters,
    input: Input<'_>,
    tag_bytes: usize,
) -> Result<Digest512, Error> {
    let mut hash = Blake2b512::new();
    for number in [lanes, length(tag_bytes)?, memory_kib, passes, VERSION, ARGON2ID] {
        hash.update(number.to_le_bytes());
    }
    for part in [input.password, input.salt, input.secret, input.associated_data] {
        hash.update(length(part.len())?.to_le_bytes());
        hash.update(part);
    }
    Ok(hash.finalize().into())
}

/// `H'` (RFC 9106, section 3.3).
pub(super) fn variable_length_hash(parts: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    let length = length(out.len())?.to_le_bytes();
    if out.len() <= size_of::<Digest512>() {
        return blake2b(&length, parts, out);
    }
    let mut hash = Blake2b512::new();
    hash.update(length);
    for part in parts {
        hash.update(part);
    }
    let mut digest: Digest512 = hash.finalize().into();
    let mut rest = out;
    loop {
        let (half, others) = rest.split_at_mut(digest.len() / 2);
        half.iter_mut().zip(digest).for_each(|(out, byte)| *out = byte);
        if others.len() <= digest.len() {
            return blake2b(&digest, &[], others);
        }
        digest = Blake2b512::digest(digest).into();
        rest = others;
    }
}

/// Of 1 to 64 bytes.
fn blake2b(first: &[u8], others: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    let mut core = Blake2bVarCore::new(out.len()).map_err(|_| Error::Tag(out.len()))?;
    let mut buffer = LazyBuffer::default();
    for part in [first].iter().chain(others) {
        buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
    }
    let mut digest = Array::default();
    core.finalize_variable_core(&mut buffer, &mut digest);
    out.iter_mut().zip(digest).for_each(|(out, byte)| *out = byte);
    Ok(())
}

fn length(bytes: usize) -> Result<u32, Error> {
    u32::try_from(bytes).map_err(|_| Error::Length)
}
