#[cfg(target_os = "linux")]
mod traces;

use super::*;
use crate::crypto::argon2::self_check::RFC_9106;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use vestibule_argon2id::Avx2;

const VECTORIZED: Implementation = Implementation::Vectorized { instructions: "whatever there is" };

/// Those that run on this processor.
fn all() -> Vec<Implementation> {
    Avx2::detect().map(Implementation::Avx2).into_iter().chain([Implementation::Reference, VECTORIZED]).collect()
}

#[test]
fn the_test_vector_of_the_specification_comes_out_of_a_used_arena() {
    let (cost, input, expected) = RFC_9106;
    for implementation in all() {
        for most_kib in [16, 32, 64] {
            let mut arena = Arena::new(implementation, most_kib);
            for _ in 0..2 {
                let mut tag = [0; 32];
                arena.hash(cost, input, &mut tag).unwrap();
                assert_eq!(tag, expected, "{implementation}, at most {most_kib} KiB");
            }
        }
    }
}

/// From the test suite of the reference implementation in C (`src/test.c`), version 0x13.
#[test]
fn the_vectors_of_the_c_reference_come_out() {
    let vectors = [
        (65_536, 2, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
        (256, 2, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (256, 2, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        (65_536, 1, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        (65_536, 4, 1, "password", "somesalt", "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"),
        (
            65_536,
            2,
            1,
            "differentpassword",
            "somesalt",
            "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde",
        ),
        (65_536, 2, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ];
    for implementation in all() {
        let mut arena = Arena::new(implementation, 65_536);
        for (memory_kib, iterations, parallelism, password, salt, expected) in vectors {
            let cost = Cost { memory_kib, iterations, parallelism };
            let mut tag = [0; 32];
            arena.hash(cost, Input::new(password.as_bytes(), salt.as_bytes()), &mut tag).unwrap();
            let pairs = expected.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
            let expected: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
            assert_eq!(tag[..], expected, "{implementation} at {cost}");
        }
    }
}

prop_compose! {
    fn costs()(parallelism in 1_u32..=5, per_lane in 8_u32..600, odd in 0_u32..8, iterations in 1_u32..=4) -> Cost {
        Cost { memory_kib: parallelism * per_lane + odd, iterations, parallelism }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn all_implementations_give_the_same(
        several in vec((costs(), 4_usize..150), 1..4),
        password in vec(any::<u8>(), 0..300),
        salt in vec(any::<u8>(), 8..80),
        secret in vec(any::<u8>(), 0..80),
        associated_data in vec(any::<u8>(), 0..32),
    ) {
        let input = Input {
            password: &password,
            salt: &salt,
            secret: &secret,
            associated_data: &associated_data,
        };
        // One arena for all, so that each finds what another left.
        let mut arenas: Vec<_> = all().into_iter().map(|implementation| Arena::new(implementation, 1_500)).collect();
        for (cost, tag_bytes) in several {
            let tags: Vec<_> = arenas.iter_mut().map(|arena| {
                let mut tag = vec![0; tag_bytes];
                arena.hash(cost, input, &mut tag).unwrap();
                tag
            }).collect();
            prop_assert!(tags.windows(2).all(|pair| pair[0] == pair[1]), "{} {:?}", cost, tags);
        }
    }
}

/// At and beside the steps of H' (RFC 9106, section 3.3), and segments at and beside a block of addresses.
#[test]
fn all_give_the_same_at_the_edges() {
    let tags = [4, 63, 64, 65, 95, 96, 97, 128, 129, 1_024].map(|tag_bytes| (8, tag_bytes));
    let segments = [127, 128, 129, 256, 257].map(|blocks| (4 * blocks, 32));
    for (memory_kib, tag_bytes) in tags.into_iter().chain(segments) {
        let cost = Cost { memory_kib, iterations: 2, parallelism: 1 };
        let tags = all().into_iter().map(|implementation| {
            let mut tag = vec![0; tag_bytes];
            let mut arena = Arena::new(implementation, memory_kib);
            arena.hash(cost, Input::new(b"password", b"somesalt"), &mut tag).unwrap();
            tag
        });
        let tags: BTreeSet<_> = tags.collect();
        assert_eq!(tags.len(), 1, "{tag_bytes} bytes, {cost}");
    }
}

#[test]
fn all_refuse_what_argon2_does_not_take() {
    let least = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    for implementation in all() {
        let refused = |cost: Cost, salt: &[u8], tag_bytes: usize| {
            let mut arena = Arena::new(implementation, 64);
            let outcome = arena.hash(cost, Input::new(b"", salt), &mut vec![0; tag_bytes]);
            let held = arena.size_kib();
            arena.wipe();
            assert_eq!(arena.size_kib(), held, "wiping takes no memory");
            outcome.is_err()
        };
        assert!(!refused(least, &[0; 8], 4));
        assert!(refused(least, &[0; 7], 4));
        assert!(refused(least, &[0; 8], 3));
        assert!(refused(Cost { memory_kib: 7, ..least }, &[0; 8], 4));
        assert!(refused(Cost { iterations: 0, ..least }, &[0; 8], 4));
        assert!(refused(Cost { parallelism: 0, ..least }, &[0; 8], 4));
        assert!(refused(Cost { parallelism: 2, ..least }, &[0; 8], 4));
    }
}

#[test]
fn no_more_is_kept_than_is_allowed_and_nothing_once_it_is_given_back() {
    for implementation in all() {
        let mut arena = Arena::new(implementation, 64);
        assert_eq!(arena.size_kib(), 0);
        for memory_kib in [32, 64, 128] {
            let cost = Cost { memory_kib, iterations: 1, parallelism: 1 };
            arena.hash(cost, Input::new(b"password", b"somesalt"), &mut [0; 32]).unwrap();
            assert_eq!(arena.size_kib(), 64, "{implementation} after {cost}");
        }
        arena.release();
        assert!(!arena.holds_memory() && arena.is_clean());
    }
}
