//! Whether an implementation computes argon2id, on this machine.

use super::arena::ComputationError;
use super::cost::Cost;
use super::input::Input;
use super::reference::ReferenceMemory;

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

/// The costs at which `compute` does not give what RFC 9106 says or what the reference gives. Takes about a hash and a
/// half of each of the two at today's cost.
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
    for (cost, tag_bytes) in costs(current) {
        // More than a block of BLAKE2b.
        let input = Input::new(&[b'p'; 129], b"a salt, 16 bytes");
        let mut expected = vec![0; tag_bytes];
        // Its memory is back before the other uses as much.
        let computed = ReferenceMemory::new(cost.memory_kib).hash(cost, input, &mut expected);
        if computed.is_err() || !gives(cost, input, &expected) {
            wrong.push(cost);
        }
    }
    wrong
}

/// Today's last, with all of its memory: its second pass is computed as any further one is.
fn costs(current: Cost) -> impl Iterator<Item = (Cost, usize)> {
    let small = SMALL.into_iter().map(|(memory_kib, iterations, parallelism, tag_bytes)| {
        (Cost { memory_kib, iterations, parallelism }, tag_bytes)
    });
    small.chain([(Cost { iterations: current.iterations.min(2), ..current }, 32)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: Cost = Cost { memory_kib: 2_048, iterations: 2, parallelism: 1 };

    fn differences_of(fault: impl Fn(Cost, Input<'_>) -> bool) -> Vec<Cost> {
        differences(CURRENT, |cost, input, tag| {
            ReferenceMemory::new(cost.memory_kib).hash(cost, input, tag)?;
            if fault(cost, input) {
                tag[0] ^= 1;
            }
            Ok(())
        })
    }

    #[test]
    fn the_reference_does_not_differ_from_itself() {
        assert_eq!(differences_of(|_, _| false), []);
    }

    #[test]
    fn a_difference_in_any_one_respect_is_found() {
        assert_eq!(differences_of(|_, input| !input.secret.is_empty()), [RFC_9106.0]);
        assert_eq!(differences_of(|cost, _| cost == CURRENT), [CURRENT]);
        assert!(!differences_of(|cost, _| cost.memory_kib % (4 * cost.parallelism) != 0).is_empty());
        assert!(!differences_of(|cost, input| cost.parallelism > 1 && input.secret.is_empty()).is_empty());
        assert!(!differences_of(|cost, _| cost.iterations == 1).is_empty());
        assert!(!differences_of(|_, input| input.password.len() > 128).is_empty());
    }

    #[test]
    fn what_cannot_be_computed_is_a_difference() {
        let failing = |_: Cost, _: Input<'_>, _: &mut [u8]| Err(argon2::Error::MemoryTooLittle.into());
        assert_eq!(differences(CURRENT, failing).len(), SMALL.len() + 2);
    }
}
