//! Passwords that are tried first.

use super::Owner;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const SERVICE_NAME: &str = "vestibule";
/// A known word needs at least so many characters beside it.
const PADDING: usize = 6;
/// Shorter words are found in too many good passwords by chance.
const MIN_WORD: usize = 4;

/// Whether a guesser would try the password early: a common one, or one built on the name of the service or on what
/// is known of the user.
pub(super) fn is_guessable(password: &str, owner: Owner<'_>) -> bool {
    let folded = Zeroizing::new(password.to_lowercase());
    let stem = folded.trim_matches(|c: char| !c.is_alphabetic());
    let unit = repeated_unit(stem);
    is_common(&folded) || is_common(stem) || is_common(unit) || is_built_on(&folded, owner) || unit == SERVICE_NAME
}

/// What the text repeats from beginning to end; all of it if nothing.
fn repeated_unit(text: &str) -> &str {
    let repeats = |unit: &&str| text.as_bytes().chunks(unit.len()).all(|chunk| chunk == unit.as_bytes());
    let mut units = text.char_indices().skip(1).filter_map(|(end, _)| text.get(..end));
    units.find(repeats).unwrap_or(text)
}

/// From the list of 20,000 that Royce Williams drew from breaches, as shipped by Django (BSD-3-Clause); from six
/// characters on, since they are met with digits and signs around them, sorted.
fn is_common(folded: &str) -> bool {
    static COMMON: &str = include_str!("common_passwords.txt");
    COMMON.lines().any(|line| line == folded)
}

/// A known word with little else around it.
fn is_built_on(folded: &str, owner: Owner<'_>) -> bool {
    let length = folded.chars().count();
    known_words(owner).any(|word| {
        let known = word.chars().count();
        known >= MIN_WORD && length.saturating_sub(known) < PADDING && folded.contains(&word)
    })
}

/// The address, the service, and the local part and the name: whole, without what separates their parts, and part by
/// part.
fn known_words(owner: Owner<'_>) -> impl Iterator<Item = String> {
    let address = owner.email.map(|email| email.canonical().to_owned());
    let local = owner.email.map(|email| email.canonical_local_part().to_owned());
    // Passwords are in NFC; names are as they were written.
    let name = owner.name.map(|name| name.folded().nfc().collect::<String>());
    let divisible = local.into_iter().chain(name).flat_map(|whole| {
        let parts: Vec<_> = whole.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
        [parts.concat(), whole].into_iter().chain(parts)
    });
    address.into_iter().chain(divisible).chain([SERVICE_NAME.to_owned()])
}
