//! Checking a password in the same time whatever there is to check it against.

use super::arena::{Arena, ComputationError};
use super::phc::{SALT_BYTES, StoredHash, TAG_BYTES};
use super::recipe::Recipe;
use std::hint::black_box;
use vestibule_domain::credential::Verdict;
use zeroize::Zeroizing;

/// One hash of today's cost in every case (a costlier stored hash costs what it costs): without `stored` it is
/// computed for nothing, and after a cheaper one the rest is. Only a right password, which tells more than its time
/// does, can take longer: its hash is made anew if it was weaker or had another pepper.
pub(super) fn check(
    arena: &mut Arena,
    current: &Recipe,
    password: &[u8],
    stored: Option<&StoredHash>,
    fresh_salt: [u8; SALT_BYTES],
) -> Result<Verdict, ComputationError> {
    let Some(stored) = stored else {
        spend(arena, current, password)?;
        return Ok(Verdict::Mismatch);
    };
    let matches = stored.matches(arena, password)?;
    if let Some(cost) = stored.cost().remainder(current.cost) {
        spend(arena, &Recipe { cost, ..current.clone() }, password)?;
    }
    if !matches {
        return Ok(Verdict::Mismatch);
    }
    if !stored.is_weaker_than(current) {
        return Ok(Verdict::Match { upgraded: None });
    }
    let stronger = Recipe { cost: stored.cost().raised_to(current.cost), ..current.clone() };
    let upgraded = StoredHash::compute(arena, stronger, password, fresh_salt)?;
    Ok(Verdict::Match { upgraded: Some(upgraded.to_phc()) })
}

fn spend(arena: &mut Arena, recipe: &Recipe, password: &[u8]) -> Result<(), ComputationError> {
    let mut tag = Zeroizing::new([0; TAG_BYTES]);
    recipe.hash(arena, password, &[0; SALT_BYTES], &mut *tag)?;
    black_box(&*tag);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::argon2::choice::Implementation;
    use crate::crypto::argon2::cost::Cost;
    use crate::crypto::argon2::pepper::Peppers;

    const CURRENT: Cost = Cost { memory_kib: 20_480, iterations: 2, parallelism: 1 };
    const SALT: [u8; SALT_BYTES] = [1; SALT_BYTES];

    const OLDER: &str = "2025:aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg=";
    const NEWER: &str = "2026:7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";

    /// The verdict, and the work it took.
    fn checked(password: &[u8], stored: Option<&StoredHash>) -> (Verdict, u64) {
        checked_with(&Peppers::NONE, password, stored)
    }

    fn checked_with(peppers: &Peppers, password: &[u8], stored: Option<&StoredHash>) -> (Verdict, u64) {
        let mut arena = Arena::new(Implementation::Reference, CURRENT.memory_kib);
        let current = Recipe { cost: CURRENT, pepper: peppers.current() };
        let verdict = check(&mut arena, &current, password, stored, [2; SALT_BYTES]).unwrap();
        (verdict, arena.written_kib())
    }

    fn stored(memory_kib: u32, iterations: u32) -> StoredHash {
        stored_with(&Peppers::NONE, Cost { memory_kib, iterations, parallelism: 1 })
    }

    fn stored_with(peppers: &Peppers, cost: Cost) -> StoredHash {
        let mut arena = Arena::new(Implementation::Reference, cost.memory_kib);
        StoredHash::compute(&mut arena, Recipe { cost, pepper: peppers.current() }, b"right", SALT).unwrap()
    }

    /// CVE-2024-39329, CVE-2025-6011: an account without a password, or no account, cost less.
    #[test]
    fn case_42_an_unknown_user_costs_exactly_what_a_wrong_password_costs() {
        let (verdict, unknown) = checked(b"wrong", None);
        assert!(matches!(verdict, Verdict::Mismatch));
        let (verdict, wrong) = checked(b"wrong", Some(&stored(CURRENT.memory_kib, CURRENT.iterations)));
        assert!(matches!(verdict, Verdict::Mismatch));
        assert_eq!(unknown, wrong);
        assert_eq!(unknown, CURRENT.work());
    }

    #[test]
    fn r7_a_cheaper_hash_is_padded_to_the_current_cost_if_the_password_is_wrong() {
        for (memory_kib, iterations) in [(8, 1), (4_096, 3), (19_456, 2)] {
            let (verdict, work) = checked(b"wrong", Some(&stored(memory_kib, iterations)));
            assert!(matches!(verdict, Verdict::Mismatch));
            assert!(work.abs_diff(CURRENT.work()) < 40, "m={memory_kib} t={iterations} cost {work}");
        }
    }

    #[test]
    fn case_39_a_right_password_brings_a_weaker_hash_up_to_date_and_the_new_one_needs_no_other() {
        let (verdict, _) = checked(b"right", Some(&stored(4_096, 3)));
        let Verdict::Match { upgraded: Some(upgraded) } = verdict else { panic!("no upgrade: {verdict:?}") };
        // More passes than today's stay.
        assert!(upgraded.as_phc().starts_with("$argon2id$v=19$m=20480,t=3,p=1$"), "{}", upgraded.as_phc());
        let again = StoredHash::parse(&upgraded, &Peppers::NONE).unwrap();
        assert!(matches!(checked(b"right", Some(&again)).0, Verdict::Match { upgraded: None }));
    }

    #[test]
    fn r1_a_right_password_brings_a_hash_to_the_pepper_of_today_once_and_a_wrong_one_costs_the_same() {
        let [none, older, rotated, withheld] = [&[][..], &[OLDER], &[NEWER, OLDER], &["none", OLDER]]
            .map(|items| Peppers::parse(items.iter().copied()).unwrap_or_default());
        for (peppers, before) in [(&older, &none), (&rotated, &none), (&rotated, &older), (&withheld, &older)] {
            let before = stored_with(before, CURRENT);
            assert_eq!(checked_with(peppers, b"wrong", Some(&before)).1, CURRENT.work());
            let (verdict, _) = checked_with(peppers, b"right", Some(&before));
            let Verdict::Match { upgraded: Some(upgraded) } = verdict else { panic!("no upgrade: {verdict:?}") };
            let again = StoredHash::parse(&upgraded, peppers).unwrap();
            assert_eq!(upgraded.as_phc().contains(",keyid="), peppers.current().is_some());
            assert!(matches!(checked_with(peppers, b"right", Some(&again)).0, Verdict::Match { upgraded: None }));
        }
    }

    #[test]
    fn case_39_a_stronger_hash_is_never_replaced() {
        let (verdict, _) = checked(b"right", Some(&stored(24_576, 3)));
        assert!(matches!(verdict, Verdict::Match { upgraded: None }));
    }
}
