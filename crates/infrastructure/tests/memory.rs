//! Memory that was used to hash goes back to the system. Alone in its process, where nothing else takes any.

use vestibule_argon2id::Avx2;
use vestibule_infrastructure::crypto::{Argon2Cost, Argon2Implementation, Argon2Trial};

/// Several times: glibc keeps what is as large as what was freed before.
#[test]
fn what_a_hash_took_is_given_back_every_time() {
    // What the process has for itself.
    let resident_kib = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let avx2 = Avx2::detect().map(Argon2Implementation::Avx2);
    let vectorized = Argon2Implementation::Vectorized { instructions: "whatever there is" };
    let cost = Argon2Cost::MINIMUM;
    for implementation in [Argon2Implementation::Reference, vectorized].into_iter().chain(avx2) {
        for _ in 0..3 {
            let before = resident_kib();
            let mut trial = Argon2Trial::new(implementation, cost);
            trial.hash().unwrap();
            let used = resident_kib() - before;
            assert!(used >= u64::from(cost.memory_kib) * 9 / 10, "{implementation} used {used} KiB");
            drop(trial);
            let kept = resident_kib().saturating_sub(before);
            assert!(kept < 2_048, "{implementation} kept {kept} KiB");
        }
    }
}
