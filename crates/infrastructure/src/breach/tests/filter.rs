use super::super::{BuildError, FilterError, FilterFile, FilterImage, KnownPasswords};
use super::{bytes, key, keys, opened, written};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vestibule_domain::credential::{BreachKey, BreachedPasswords};

fn outcome(bytes: &[u8]) -> Result<(), String> {
    let file = written(bytes);
    FilterFile::open(&file.path).and_then(|filter| filter.verify()).map_err(|error| error.to_string())
}

fn refusal(bytes: &[u8]) -> String {
    outcome(bytes).unwrap_err()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_put_in_is_found(numbers in prop::collection::btree_set(any::<u64>(), 1..600)) {
        let image = FilterImage::build(numbers.iter().copied().map(key).collect()).unwrap();
        prop_assert_eq!(image.keys(), numbers.len() as u64);
        let filter = FilterFile::open(&written(&bytes(&image)).path).unwrap();
        for number in numbers {
            prop_assert!(filter.contains(key(number)).unwrap());
        }
    }

    #[test]
    fn the_order_of_a_list_and_what_it_repeats_change_nothing(
        numbers in prop::collection::vec(0_u64..200, 1..300).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let (listed, shuffled) = numbers;
        let distinct: BTreeSet<_> = listed.iter().copied().collect();
        let image = |numbers: Vec<u64>| bytes(&FilterImage::build(numbers.into_iter().map(key).collect()).unwrap());
        prop_assert_eq!(image(listed), image(shuffled.clone()));
        prop_assert_eq!(image(shuffled), image(distinct.into_iter().collect()));
    }

    #[test]
    fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), to in 1_u8..) {
        let mut bytes = bytes(&FilterImage::build(keys(100)).unwrap());
        let at = at.index(bytes.len());
        bytes[at] ^= to;
        prop_assert!(outcome(&bytes).is_err());
    }

    #[test]
    fn what_is_cut_off_is_refused(at in any::<prop::sample::Index>()) {
        let bytes = bytes(&FilterImage::build(keys(100)).unwrap());
        prop_assert!(FilterFile::open(&written(&bytes[..at.index(bytes.len())]).path).is_err());
    }
}

#[test]
fn nothing_of_a_hundred_thousand_is_missed_and_one_in_65536_others_is_taken_for_one() {
    let filter = opened(100_000);
    assert!((0..100_000).all(|n| filter.contains(key(n)).unwrap()));
    let wrong = (100_000..400_000).filter(|n| filter.contains(key(*n)).unwrap()).count();
    // 4.6 are expected.
    assert!((1..=15).contains(&wrong), "{wrong} of 300,000");
}

#[test]
fn every_size_finds_its_place() {
    for count in [1, 2, 3, 4, 5, 10, 31, 100, 1_000, 10_000] {
        let image = FilterImage::build(keys(count)).unwrap();
        assert_eq!(image.size(), bytes(&image).len() as u64);
        assert!(image.size() <= 200 + 4 * count, "{} bytes for {count}", image.size());
    }
    assert_eq!(FilterImage::build(Vec::new()).unwrap_err(), BuildError::Empty);
}

#[test]
fn a_hundred_thousand_take_less_than_twenty_bits_each() {
    let image = FilterImage::build(keys(100_000)).unwrap();
    assert!(image.size() * 8 < 20 * 100_000, "{} bytes", image.size());
}

#[test]
fn a_file_that_is_no_filter_is_refused_with_what_is_wrong() {
    let good = bytes(&FilterImage::build(keys(100)).unwrap());
    assert_eq!(outcome(&good), Ok(()));
    let foreign = "is not a filter: `vestibule breach build` makes one";
    assert_eq!(refusal(b""), foreign);
    assert_eq!(refusal(&b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\r\n".repeat(9)), foreign);
    let length = good.len();
    assert_eq!(
        refusal(&good[..length - 1]),
        format!("has {} bytes instead of {length}: it was not copied whole", length - 1)
    );
    assert_eq!(
        refusal(&[&*good, b"\n"].concat()),
        format!("has {} bytes instead of {length}: it was not copied whole", length + 1)
    );
    assert_eq!(refusal(&good[..20]), "has 20 bytes instead of 68: it was not copied whole");
    let mut newer = good.clone();
    newer[8] = 2;
    assert_eq!(refusal(&newer), "is a filter of format 2, and this version reads format 1: build it again");
    let mut damaged = good;
    damaged[100] ^= 1;
    assert_eq!(refusal(&damaged), "does not fit its checksum: it was damaged");
    let missing = FilterFile::open(std::path::Path::new("/nonexistent")).unwrap_err();
    assert!(matches!(missing, FilterError::Io(_)), "{missing}");
}

#[test]
fn a_header_that_asks_for_more_than_there_is_costs_nothing() {
    let mut bytes = bytes(&FilterImage::build(keys(100)).unwrap());
    for (at, value) in [(12, 0_u32), (12, 3), (12, 1 << 19), (16, 0), (16, u32::MAX)] {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert!(FilterFile::open(&written(&bytes).path).is_err());
    }
}

#[test]
fn a_file_that_can_no_longer_be_read_leaves_the_filter_of_the_binary() {
    let file = written(&bytes(&FilterImage::build(vec![BreachKey::of("of this file alone")]).unwrap()));
    let known = KnownPasswords::shipped().unwrap().and(FilterFile::open(&file.path).unwrap());
    assert!(known.contains(BreachKey::of("of this file alone")));
    assert!(!known.is_common(BreachKey::of("of this file alone")));
    std::fs::write(&file.path, b"").unwrap();
    assert!(!known.contains(BreachKey::of("of this file alone")));
    assert!(known.contains(BreachKey::of("correcthorsebatterystaple")));
}
