//! Where a binary fuse filter keeps its keys (Graf and Lemire, «Binary Fuse Filters», 2022, with three slots a key):
//! the slots of a key, taken together by XOR, give its fingerprint.

use vestibule_domain::credential::BreachKey;

/// Longer segments no longer make a filter smaller, only its look-ups farther apart.
const MAX_SEGMENT_BITS: u32 = 18;

/// How slots are laid out: in segments, of which every key uses three that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// A power of two from 4 to 2^18.
    pub(super) segment_length: u32,
    /// In which the first slot of a key can be; two more follow.
    pub(super) segments: u32,
    /// Not every seed lets every set of keys find its place.
    pub(super) seed: u64,
}

impl Shape {
    /// As small as so many keys allow. `None` for none, and for more than slots can be counted.
    pub(super) fn for_keys(keys: u64, seed: u64) -> Option<Self> {
        let segment_length = 1_u32 << segment_bits(keys);
        let slots = u64::try_from(u128::from(keys) * u128::from(slots_per_thousand(keys)?) / 1_000).ok()?;
        let segments = u32::try_from(slots.div_ceil(u64::from(segment_length))).ok()?.saturating_sub(2).max(1);
        Some(Self { segment_length, segments, seed })
    }

    /// One that was written down, if it can be one at all.
    pub(super) fn checked(self) -> Option<Self> {
        let bits = self.segment_length.trailing_zeros();
        let is_sound = self.segment_length.is_power_of_two() && (2..=MAX_SEGMENT_BITS).contains(&bits);
        (is_sound && self.segments > 0).then_some(self)
    }

    pub(super) fn slots(&self) -> u64 {
        (u64::from(self.segments) + 2) * u64::from(self.segment_length)
    }

    pub(super) fn place(&self, key: BreachKey) -> Place {
        // The end of MurmurHash3: every bit of the key moves half of the bits.
        let mut hash = key.as_u64().wrapping_add(self.seed);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Place(hash ^ (hash >> 33))
    }

    /// The three slots of a key, each in another segment.
    pub(super) fn slots_of(&self, Place(hash): Place) -> [u64; 3] {
        let length = u64::from(self.segment_length);
        let within = length - 1;
        let (_, first) = hash.carrying_mul(u64::from(self.segments) * length, 0);
        [first, (first + length) ^ ((hash >> 18) & within), (first + 2 * length) ^ (hash & within)]
    }
}

/// What of a key decides about slots and fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place(pub(super) u64);

impl Place {
    pub(super) fn fingerprint(self) -> u16 {
        let [a, b, ..] = (self.0 ^ (self.0 >> 32)).to_le_bytes();
        u16::from_le_bytes([a, b])
    }
}

/// ⌊log₃.₃₃(keys) + 2.25⌋, in whole numbers: the same on every machine.
fn segment_bits(keys: u64) -> u32 {
    // 3.33^2.25 is 15; powers are kept in thousandths.
    let reach = u128::from(keys) * 15_000;
    let powers = std::iter::successors(Some(1_000_u128), |power| Some(power * 333 / 100));
    let bits = powers.skip(1).take_while(|power| *power <= reach).take(MAX_SEGMENT_BITS as usize).count();
    u32::try_from(bits).unwrap_or(MAX_SEGMENT_BITS).max(2)
}

/// 1.125 from a million keys on, and more for fewer: 0.875 + 0.25 · log(1,000,000) / log(keys).
fn slots_per_thousand(keys: u64) -> Option<u32> {
    const LOG2_OF_A_MILLION_IN_QUARTERS_OF_THOUSANDTHS: u32 = 4_983;
    let log = keys.checked_ilog2()?.clamp(1, 20);
    Some(if keys >= 1_000_000 { 1_125 } else { 875 + LOG2_OF_A_MILLION_IN_QUARTERS_OF_THOUSANDTHS / log })
}
