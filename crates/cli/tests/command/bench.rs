use crate::place::Place;

/// A number in `text` between `before` and `after`.
#[track_caller]
fn number(text: &str, before: &str, after: &str) -> f64 {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let (number, _) = found.unwrap_or_else(|| panic!("no {before:?} and {after:?} in:\n{text}"));
    number.trim().parse().unwrap_or_else(|_| panic!("{number:?} is no number"))
}

#[test]
fn it_says_what_a_hash_costs_and_what_to_set_for_a_time() {
    let place = Place::empty().with("VESTIBULE_PASSWORDS__HASH_THREADS", "2");
    let outcome = place.run(&["bench", "--target", "100ms"]).succeeded();
    let text = &outcome.stdout;
    assert!(text.contains("m=19456, t=2, p=1") && text.contains("19 MiB for each thread"), "{text}");
    assert!(text.contains("38 MiB for 2"), "{text}");
    let (one, alone) = (number(text, "one hash", "ms"), number(text, "logins", "a second on one core"));
    assert!((alone * one - 1_000.0).abs() < 100.0, "{text}");
    assert!(number(text, "one core;", "with passwords.hash_threads") > 0.0, "{text}");

    // What it suggests is a configuration.
    let (_, suggestion) = text.split_once("[passwords]").unwrap();
    place.write("vestibule.toml", &format!("[passwords]{suggestion}"));
    place.run(&["config", "check"]).succeeded();
    assert!(!place.path("var").exists(), "it needs no database");
}

#[test]
fn it_measures_what_is_configured() {
    let place =
        Place::empty().with("VESTIBULE_PASSWORDS__HASHING", "reference").with("VESTIBULE_PASSWORDS__HASH_THREADS", "1");
    let place = place.with("VESTIBULE_PASSWORDS__MEMORY_KIB", "32768");
    let text = place.run(&["bench", "--target", "1ms"]).succeeded().stdout;
    assert!(text.contains("argon2, the reference\n") && text.contains("m=32768, t=2, p=1"), "{text}");
    // However short the time: never below what is safe.
    assert!(text.ends_with("memory_kib = 19456\niterations = 2\nparallelism = 1\n"), "{text}");
}

#[test]
fn a_target_that_is_no_time_is_refused() {
    Place::empty().run(&["bench", "--target", "soon"]).failed_with(2, "is not a duration");
    Place::empty().run(&["bench", "--target", "1h"]).failed_with(2, "is too long");
}
