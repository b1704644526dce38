//! What a hash leaves in the memory of the process.

use super::*;
use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::thread;
use zeroize::Zeroizing;

/// Little enough for the allocator to keep the memory when it is freed.
const COST: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
const MEMORY: &[u8] = b"traces in memory";
const STACK: &[u8] = b"on the stack";

// Complements, or each would be found here. The second and the third were computed by what RFC 9106 says in section
// 3.2, with `hashlib.blake2b` of Python.
const PASSWORD: [u8; 16] =
    [0x91, 0x90, 0x9d, 0x90, 0x9b, 0x86, 0xdf, 0x9a, 0x93, 0x8c, 0x9a, 0xdf, 0x97, 0x9e, 0x8c, 0xde];
/// How the first digest begins, `H_0`, with the salt `STACK`.
const FIRST_DIGEST: [u8; 16] =
    [0x75, 0xe2, 0xd5, 0xe8, 0x7b, 0xf8, 0xa8, 0x9d, 0x56, 0xa1, 0x1a, 0x5d, 0x94, 0xa5, 0x77, 0xa7];
/// From byte 64 of the first block, with the salt `MEMORY`. It stays when there is one pass; where it begins, the
/// allocator writes when it is freed.
const FIRST_BLOCK: [u8; 16] =
    [0x0c, 0x0d, 0x51, 0x57, 0xcc, 0x18, 0xd9, 0x5a, 0x9a, 0xb6, 0xb4, 0xc6, 0xcb, 0xdc, 0x3b, 0x3d];

fn hash(arena: &mut Arena, salt: &[u8]) {
    // By bytes: an array would be copied on its way.
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(PASSWORD.iter().map(|byte| !byte).collect());
    arena.hash(COST, Input::new(&password, salt), &mut [0; 32]).unwrap();
}

/// Searches what the process may write to. It has its own memory from the beginning, or it would take what is freed
/// before it and overwrite what it is to find.
struct Search {
    maps: Vec<u8>,
    page: Zeroizing<Vec<u8>>,
    memory: File,
}

impl Search {
    const PAGE: usize = 4_096;

    fn new() -> Self {
        Self {
            maps: Vec::with_capacity(1 << 20),
            page: Zeroizing::new(vec![0; Self::PAGE + 16]),
            memory: File::open("/proc/self/mem").unwrap(),
        }
    }

    /// Whether the bytes with this complement lie at a multiple of `align`, in a mapping that is asked for.
    fn finds(&mut self, complement: [u8; 16], align: usize, is_asked_for: impl Fn(&Range<usize>) -> bool) -> bool {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_end(&mut self.maps).unwrap();
        let lines = std::str::from_utf8(&self.maps).unwrap().lines();
        let writable = lines.filter(|line| line.contains(" rw-p ")).map(|line| line.split_once(' ').unwrap().0);
        let address = |hex| usize::from_str_radix(hex, 16).unwrap();
        let ranges = writable.map(|line| line.split_once('-').unwrap()).map(|(from, to)| address(from)..address(to));
        ranges.filter(is_asked_for).any(|range| {
            range.step_by(Self::PAGE).any(|begin| {
                // Nothing, if it was unmapped meanwhile.
                let read = self.memory.read_at(&mut self.page, begin as u64).unwrap_or_default();
                let mut places = self.page[..read].windows(complement.len()).step_by(align);
                let is_found = places.any(|bytes| bytes.iter().zip(complement).all(|(byte, other)| *byte == !other));
                // Or it would be found again, here.
                self.page.fill(0);
                is_found
            })
        })
    }
}

#[test]
fn of_the_memory_nothing_is_left_after_wiping_or_when_it_is_dropped() {
    for implementation in BOTH {
        let mut search = Search::new();
        let mut is_somewhere = || search.finds(FIRST_BLOCK, 64, |_| true);
        let mut arena = Arena::new(implementation, COST.memory_kib);
        hash(&mut arena, MEMORY);
        assert!(is_somewhere(), "{implementation}: this finds it");
        arena.wipe();
        assert!(!is_somewhere(), "{implementation}: wiped");
        hash(&mut arena, MEMORY);
        arena.release();
        assert!(!is_somewhere(), "{implementation}: released");
        hash(&mut arena, MEMORY);
        drop(arena);
        assert!(!is_somewhere(), "{implementation}: dropped");
    }
}

#[test]
fn on_the_stack_nothing_is_left_of_the_password_and_its_first_digest() {
    let leaves = |implementation| {
        let mut search = Search::new();
        let mut arena = Arena::new(implementation, COST.memory_kib);
        hash(&mut arena, STACK);
        let here = black_box([0xa5_u8; 16]);
        let address = (&raw const here).addr();
        let mut is_on_the_stack = |complement| search.finds(complement, 1, |range| range.contains(&address));
        assert!(is_on_the_stack([0x5a; 16]), "this finds what is there");
        [PASSWORD, FIRST_DIGEST].map(is_on_the_stack)
    };
    for implementation in BOTH {
        let left = thread::spawn(move || leaves(implementation)).join().unwrap();
        assert_eq!(left, [false; 2], "{implementation}");
    }
}
