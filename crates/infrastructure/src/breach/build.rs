//! Making a filter.

use super::fuse::{Place, Shape};
use super::header::Header;
use std::io::{self, Write};
use vestibule_domain::credential::BreachKey;

/// One seed in a few hundred fails; so many in a row never do.
const SEEDS: u64 = 64;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("there are no passwords to make a filter of")]
    Empty,
    #[error("these passwords fit no filter: there are too many")]
    NoSeed,
}

/// A filter as it is written to a file: the same bytes for the same passwords, on every machine and in every order.
#[derive(Debug)]
pub struct FilterImage {
    header: Header,
    slots: Vec<u16>,
}

impl FilterImage {
    /// Takes about 40 bytes of memory for each key while it works.
    pub fn build(mut keys: Vec<BreachKey>) -> Result<Self, BuildError> {
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(BuildError::Empty);
        }
        (0..SEEDS).find_map(|seed| Self::with_seed(&keys, seed)).ok_or(BuildError::NoSeed)
    }

    fn with_seed(keys: &[BreachKey], seed: u64) -> Option<Self> {
        let shape = Shape::for_keys(keys.len() as u64, seed)?;
        let slots = fill(&shape, &peel(&shape, keys)?)?;
        Some(Self { header: Header { shape, keys: keys.len() as u64 }, slots })
    }

    /// How many passwords it knows.
    pub fn keys(&self) -> u64 {
        self.header.keys
    }

    /// In bytes, as a file.
    pub fn size(&self) -> u64 {
        self.header.file_size()
    }

    pub fn write_to(&self, mut to: impl Write) -> io::Result<()> {
        let mut checksum = self.header.checksum();
        self.slots.iter().for_each(|slot| checksum.update(&slot.to_le_bytes()));
        to.write_all(&self.header.checked_bytes())?;
        to.write_all(checksum.finish().as_ref())?;
        self.slots.iter().try_for_each(|slot| to.write_all(&slot.to_le_bytes()))?;
        to.flush()
    }
}

/// What the keys that want a slot have in common, by XOR, and how many they are.
struct Crowds {
    places: Vec<u64>,
    sizes: Vec<u8>,
}

impl Crowds {
    /// `None` if a slot is wanted by more keys than can be counted.
    fn gather(shape: &Shape, keys: &[BreachKey]) -> Option<Self> {
        let slots = usize::try_from(shape.slots()).ok()?;
        let mut crowds = Self { places: vec![0; slots], sizes: vec![0; slots] };
        for key in keys {
            let place = shape.place(*key);
            for slot in shape.slots_of(place) {
                let (places, size) = crowds.at(slot)?;
                *places ^= place.0;
                *size = size.checked_add(1)?;
            }
        }
        Some(crowds)
    }

    fn at(&mut self, slot: u64) -> Option<(&mut u64, &mut u8)> {
        let slot = usize::try_from(slot).ok()?;
        Some((self.places.get_mut(slot)?, self.sizes.get_mut(slot)?))
    }

    /// The only one who wants the slot.
    fn only(&mut self, slot: u64) -> Option<Place> {
        let (place, size) = self.at(slot)?;
        (*size == 1).then_some(Place(*place))
    }

    /// Takes a key away; the slot is then wanted by so many.
    fn leave(&mut self, slot: u64, place: Place) -> Option<u8> {
        let (places, size) = self.at(slot)?;
        *places ^= place.0;
        *size = size.checked_sub(1)?;
        Some(*size)
    }
}

/// Keys in an order in which each has a slot, of the number given, that no later one wants.
struct Order {
    places: Vec<Place>,
    own: Vec<u8>,
}

/// `None` if the keys stand in each other's way with this seed.
fn peel(shape: &Shape, keys: &[BreachKey]) -> Option<Order> {
    let mut crowds = Crowds::gather(shape, keys)?;
    let mut order = Order { places: Vec::with_capacity(keys.len()), own: Vec::with_capacity(keys.len()) };
    let mut lonely: Vec<u64> = (0..shape.slots()).filter(|slot| crowds.only(*slot).is_some()).collect();
    while let Some(slot) = lonely.pop() {
        // Its only key may have found another slot meanwhile.
        let Some(place) = crowds.only(slot) else { continue };
        for (number, other) in (0_u8..).zip(shape.slots_of(place)) {
            if other == slot {
                order.places.push(place);
                order.own.push(number);
            }
            if crowds.leave(other, place)? == 1 {
                lonely.push(other);
            }
        }
    }
    (order.places.len() == keys.len()).then_some(order)
}

/// Sets the slots, the last key first: those that it shares are then settled.
fn fill(shape: &Shape, order: &Order) -> Option<Vec<u16>> {
    let mut slots = vec![0_u16; usize::try_from(shape.slots()).ok()?];
    for (place, own) in order.places.iter().zip(&order.own).rev() {
        let wanted = shape.slots_of(*place);
        let mut value = place.fingerprint();
        for slot in wanted {
            // Its own is still empty.
            value ^= slots.get(usize::try_from(slot).ok()?)?;
        }
        *slots.get_mut(usize::try_from(*wanted.get(usize::from(*own))?).ok()?)? = value;
    }
    Some(slots)
}
