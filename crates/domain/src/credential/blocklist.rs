//! Passwords that are tried first.

use super::{BreachKey, BreachedPasswords, Owner};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const SERVICE_NAME: &str = "vestibule";
/// A known word needs at least so many characters beside it.
const PADDING: usize = 6;
/// Shorter words are found in too many good passwords by chance.
const MIN_WORD: usize = 4;
/// Common passwords are met with anything around them, and shorter ones in too many good passwords by chance.
const MIN_COMMON: usize = 6;

/// Whether a guesser would try the password early: a common one in disguise, or one built on the name of the service
/// or on what is known of the user.
pub(super) fn is_guessable(password: &str, owner: Owner<'_>, breached: &dyn BreachedPasswords) -> bool {
    let folded = Zeroizing::new(password.to_lowercase());
    let stem = folded.trim_matches(|c: char| !c.is_alphabetic());
    let unit = repeated_unit(stem);
    // Each question can be answered wrongly once in a while: none is asked twice.
    let disguised = [(&**folded, password), (stem, &**folded), (unit, stem)];
    let is_common = |text: &str| text.chars().count() >= MIN_COMMON && breached.is_common(BreachKey::of(text));
    disguised.iter().any(|(text, disguise)| text != disguise && is_common(text))
        || is_built_on(&folded, owner)
        || unit == SERVICE_NAME
}

/// What the text repeats from beginning to end; all of it if nothing.
fn repeated_unit(text: &str) -> &str {
    let repeats = |unit: &&str| text.as_bytes().chunks(unit.len()).all(|chunk| chunk == unit.as_bytes());
    let mut units = text.char_indices().skip(1).filter_map(|(end, _)| text.get(..end));
    units.find(repeats).unwrap_or(text)
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
