//! The targets on what lies in their corpora, and on a bounded number of mutations, the same in every run.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a step of a test that cannot be taken is a failed test"
)]

mod mutation;

use mutation::Mutator;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use vestibule_api::fuzzing;
use vestibule_fuzz::{TARGETS, Target, json};

/// For each target; a few seconds for all, unoptimised.
const MUTATIONS: usize = 10_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

/// In the order of the names of their files.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("no corpus for {name}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Whether the input is taken. One that breaks a property is named, as libFuzzer would.
fn run((name, check): Target, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| check(input))).unwrap_or_else(|_| {
        panic!("`{name}` fails on b\"{}\": mend it, and put this into fuzz/corpus/{name}/", input.escape_ascii())
    })
}

fn replay(name: &str) {
    let target = TARGETS.into_iter().find(|target| target.0 == name).unwrap();
    let corpus = corpus(name);
    let taken = corpus.iter().filter(|input| run(target, input)).count();
    // Else most properties would hold of nothing.
    assert!(taken > 0 && taken < corpus.len(), "{taken} of {} are taken", corpus.len());
    let mut mutator = Mutator::new(&corpus);
    for _ in 0..MUTATIONS {
        run(target, &mutator.next());
    }
}

macro_rules! replayed {
    ($($target:ident),+ $(,)?) => {
        $( #[test]
        fn $target() { replay(stringify!($target)); } )+

        #[test]
        fn every_target_is_replayed() {
            assert_eq!(TARGETS.map(|target| target.0), [$(stringify!($target)),+]);
        }
    };
}

replayed!(body, claims, cursor, email, forwarded, if_match, json, password, phc, query, token);

/// What the suite takes and no call of ours does: a name twice (RFC 7493, section 2.3).
const REFUSED_THOUGH_VALID: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

/// `tests/corpora/README.md` says what it is.
#[test]
fn a01_both_readers_of_json_agree_about_every_text_of_the_json_test_suite() {
    let suite = include_str!("../../../tests/corpora/json-test-suite.json");
    let suite: Vec<(String, usize, String)> = serde_json::from_str(suite).unwrap();
    assert_eq!(suite.len(), 318);
    for (name, times, text) in suite {
        let bytes: Vec<_> = text.chars().map(|byte| u8::try_from(byte).unwrap()).collect();
        let text = bytes.repeat(times);
        // In an object, so that it is not refused for being none.
        let member = [b"{\"v\":", &text[..], b"}"].concat();
        let refused = name.starts_with("n_") || REFUSED_THOUGH_VALID.contains(&name.as_str());
        if refused || name.starts_with("y_") {
            assert_eq!(fuzzing::json(&member).is_none(), refused, "{name}");
        }
        json::check(&text);
        json::check(&member);
    }
}
