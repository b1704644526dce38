//! Passwords that are tried first.

use super::Owner;
use crate::user::Name;

const SERVICE_NAME: &str = "vestibule";
/// A known word needs at least so many characters beside it.
const PADDING: usize = 6;

/// Whether a guesser would try the password early: a common one, or one built on the name of the service or on what
/// is known of the user.
pub(super) fn is_guessable(password: &str, owner: Owner<'_>) -> bool {
    let folded = password.to_lowercase();
    let stem = folded.trim_matches(|c: char| !c.is_alphabetic());
    is_common(&folded) || is_common(stem) || is_built_on(&folded, owner)
}

/// From the list of 20,000 that Royce Williams drew from breaches, as shipped by Django (BSD-3-Clause); only those
/// that the length rule would let through, sorted.
fn is_common(folded: &str) -> bool {
    static COMMON: &str = include_str!("common_passwords.txt");
    COMMON.lines().any(|line| line == folded)
}

/// A known word with little else around it.
fn is_built_on(folded: &str, owner: Owner<'_>) -> bool {
    let address = owner.email.into_iter().flat_map(|email| [email.canonical(), email.canonical_local_part()]);
    let words = address.map(str::to_owned).chain(owner.name.map(Name::folded)).chain([SERVICE_NAME.to_owned()]);
    let padding = |word: &str| folded.chars().count().saturating_sub(word.chars().count());
    words.filter(|word| word.chars().count() >= 4).any(|word| folded.contains(&word) && padding(&word) < PADDING)
}
