//! Every fault of a body is told, and points at what is at fault.

use crate::password::POLICY;
use std::collections::BTreeSet;
use vestibule_api::fuzzing;

/// As many faults as an answer names.
const MAX_FAULTS: usize = 100;

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let Some(json) = fuzzing::json(input) else {
        assert_eq!(fuzzing::body(&POLICY, text), Err((400, Vec::new())));
        return false;
    };
    let members = json.as_object().expect("an object");
    let strangers = members.keys().filter(|name| !fuzzing::FIELDS.contains(&name.as_str())).count();
    match fuzzing::body(&POLICY, text) {
        Ok(()) => {
            assert_eq!(strangers, 0, "what is unknown was dropped");
            assert!(["email", "password", "roles"].iter().all(|name| members.contains_key(*name)));
            assert!(!json.to_string().contains("\\u0000"), "PostgreSQL cannot hold U+0000");
            true
        }
        Err((status, faults)) => {
            assert_eq!(status, 422);
            assert!((1..=MAX_FAULTS).contains(&faults.len()));
            let unknown = faults.iter().filter(|(_, code)| code == "unknown_field").count();
            assert!(unknown == strangers || faults.len() == MAX_FAULTS, "{unknown} of {strangers}");
            let pointers: BTreeSet<_> = faults.iter().map(|(pointer, _)| pointer).collect();
            assert_eq!(pointers.len(), faults.len(), "one thing is told twice");
            for (pointer, code) in faults {
                // RFC 6901 finds what the fault is about, unless the fault is that it is not there.
                assert_eq!(json.pointer(&pointer).is_none(), code == "required", "{pointer} {code}");
            }
            false
        }
    }
}
