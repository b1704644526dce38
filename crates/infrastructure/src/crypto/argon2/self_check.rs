//! Whether an implementation computes argon2id, on this machine.

use super::arena::ComputationError;
use super::cost::Cost;
use super::reference::ReferenceMemory;
use vestibule_argon2id::Input;

/// RFC 9106, section 5.3.
pub(super) const RFC_9106: (Cost, Input<'static>, [u8; 32]) = (
    Cost { memory_kib: 32, iterations: 3, parallelism: 4 },
    Input { password: &[1; 32], salt: &[2; 16], secret: &[3; 8], associated_data: &[4; 12] },
    [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
        0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
    ],
);

/// Memory, passes, lanes and bytes of the tag: the least; sizes that do not divide; addresses from more than one block;
/// lanes that read each other.
const SMALL: [(u32, u32, u32, usize); 4] = [(8, 1, 1, 4), (71, 2, 2, 16), (1_237, 3, 1, 64), (1_024, 2, 4, 65)];

/// What the reference gives for [`PROBE`] at the least cost, the default: to compute it would double the time of a start.
const AT_THE_MINIMUM: [u8; 32] = [
    0x8c, 0x02, 0x4c, 0xf7, 0x4f, 0x5d, 0x3d, 0x65, 0x98, 0x01, 0x8c, 0xf0, 0xc3, 0x51, 0x2a, 0x39, 0x08, 0xf2, 0xc7,
    0xc8, 0x0b, 0xb4, 0x0f, 0x2c, 0xe1, 0x65, 0xd0, 0xca, 0xe5, 0x42, 0x37, 0x65,
];

/// More than a block of `BLAKE2b`.
const PROBE: Input<'static> =
    Input { password: &[b'p'; 129], salt: b"a salt, 16 bytes", secret: &[], associated_data: &[] };

/// The costs at which `compute` does not give what RFC 9106 says or what the reference gives: small ones, and last
/// [that of today](of_today).
pub(super) fn differences(
    current: Cost,
    mut compute: impl FnMut(Cost, Input<'_>, &mut [u8]) -> Result<(), ComputationError>,
) -> Vec<Cost> {
    let mut gives = |cost: Cost, input: Input<'_>, expected: &[u8]| {
        let mut tag = vec![0; expected.len()];
        compute(cost, input, &mut tag).is_ok() && tag == expected
    };
    let (cost, input, tag) = RFC_9106;
    let mut wrong = Vec::new();
    if !gives(cost, input, &tag) {
        wrong.push(cost);
    }
    let small = SMALL.into_iter().map(|(memory_kib, iterations, parallelism, tag_bytes)| {
        (Cost { memory_kib, iterations, parallelism }, tag_bytes)
    });
    for (cost, tag_bytes) in small.chain([(of_today(current), AT_THE_MINIMUM.len())]) {
        let expected =
            if cost == Cost::MINIMUM { Ok(AT_THE_MINIMUM.to_vec()) } else { by_the_reference(cost, tag_bytes) };
        if !expected.is_ok_and(|expected| gives(cost, PROBE, &expected)) {
            wrong.push(cost);
        }
    }
    wrong
}

/// With all of its memory: its second pass is computed as any further one is.
pub(super) fn of_today(current: Cost) -> Cost {
    Cost { iterations: current.iterations.min(2), ..current }
}

/// Its memory is back before the other uses as much.
fn by_the_reference(cost: Cost, tag_bytes: usize) -> Result<Vec<u8>, argon2::Error> {
    let mut tag = vec![0; tag_bytes];
    ReferenceMemory::new(cost.memory_kib).hash(cost, PROBE, &mut tag)?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: Cost = Cost { memory_kib: 2_048, iterations: 2, parallelism: 1 };

    fn differences_of(current: Cost, fault: impl Fn(Cost, Input<'_>) -> bool) -> Vec<Cost> {
        differences(current, |cost, input, tag| {
            ReferenceMemory::new(cost.memory_kib).hash(cost, input, tag)?;
            if fault(cost, input) {
                tag[0] ^= 1;
            }
            Ok(())
        })
    }

    /// What is known beforehand included.
    #[test]
    fn the_reference_does_not_differ_from_itself() {
        for current in [CURRENT, Cost::MINIMUM] {
            assert_eq!(differences_of(current, |_, _| false), []);
        }
    }

    #[test]
    fn two_passes_are_checked_of_however_many() {
        assert_eq!(of_today(Cost { iterations: 10, ..CURRENT }), CURRENT);
    }

    #[test]
    fn a_difference_in_any_one_respect_is_found() {
        let differences_of = |fault: fn(Cost, Input<'_>) -> bool| differences_of(CURRENT, fault);
        assert_eq!(differences_of(|_, input| !input.secret.is_empty()), [RFC_9106.0]);
        assert_eq!(differences_of(|cost, _| cost == CURRENT), [CURRENT]);
        assert!(!differences_of(|cost, _| cost.memory_kib % (4 * cost.parallelism) != 0).is_empty());
        assert!(!differences_of(|cost, input| cost.parallelism > 1 && input.secret.is_empty()).is_empty());
        assert!(!differences_of(|cost, _| cost.iterations == 1).is_empty());
        assert!(!differences_of(|_, input| input.password.len() > 128).is_empty());
    }

    #[test]
    fn a_difference_is_found_where_the_answer_is_known_beforehand() {
        assert_eq!(differences_of(Cost::MINIMUM, |cost, _| cost == Cost::MINIMUM), [Cost::MINIMUM]);
    }

    #[test]
    fn what_cannot_be_computed_is_a_difference() {
        let failing = |_: Cost, _: Input<'_>, _: &mut [u8]| Err(argon2::Error::MemoryTooLittle.into());
        assert_eq!(differences(CURRENT, failing).len(), SMALL.len() + 2);
    }
}
