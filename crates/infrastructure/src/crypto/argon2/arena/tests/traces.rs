//! What a hash leaves in the memory of the process.

use super::*;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::thread;
use zeroize::Zeroizing;

/// No multiple of 4: the last three KiB are not used.
const COST: Cost = Cost { memory_kib: 4_099, iterations: 1, parallelism: 1 };

/// What is searched for, in bytes.
const LENGTH: usize = 16;

// A salt for each test: they run beside each other, and search the whole process.
const WIPED: &[u8] = b"wiped or given back";
const NOT_OVERWRITTEN: &[u8] = b"not overwritten";
const STACK: &[u8] = b"on the stack";

/// Complements, or they would be found here.
const PASSWORD: [u8; LENGTH] =
    [0x91, 0x90, 0x9d, 0x90, 0x9b, 0x86, 0xdf, 0x9a, 0x93, 0x8c, 0x9a, 0xdf, 0x97, 0x9e, 0x8c, 0xde];
/// How the first digest begins, `H_0`, at `COST`, with the salt `STACK` and for a tag of 32 bytes: by what RFC 9106 says in section 3.2, with
/// `hashlib.blake2b` of Python.
const FIRST_DIGEST: [u8; LENGTH] =
    [0xd6, 0x14, 0x99, 0x6b, 0x59, 0x27, 0xd0, 0x66, 0xd5, 0x00, 0x96, 0x37, 0xa9, 0xe2, 0xe9, 0xe2];

/// By bytes: an array would be copied on its way.
fn password() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(PASSWORD.iter().map(|byte| !byte).collect())
}

fn hash(arena: &mut Arena, cost: Cost, salt: &[u8]) {
    arena.hash(cost, Input::new(&password(), salt), &mut [0; 32]).unwrap();
}

/// Searches what the process may write to, with memory that it takes beforehand.
struct Search {
    maps: Vec<u8>,
    page: Vec<u8>,
    memory: File,
}

impl Search {
    const PAGE: usize = 4_096;

    fn new() -> Self {
        Self {
            maps: Vec::with_capacity(1 << 20),
            page: vec![0; Self::PAGE + LENGTH],
            memory: File::open("/proc/self/mem").unwrap(),
        }
    }

    /// Whether the bytes with this complement lie at a multiple of `align`, in a mapping that is asked for.
    fn finds(&mut self, complement: [u8; LENGTH], align: usize, is_asked_for: impl Fn(&Range<usize>) -> bool) -> bool {
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

/// Of what the reference leaves: how the first block begins, one amid the others and the last.
fn remains(cost: Cost, salt: &[u8]) -> [[u8; LENGTH]; 3] {
    let mut arena = Arena::new(Implementation::Reference, cost.memory_kib);
    hash(&mut arena, cost, salt);
    let Memory::Reference(memory) = &arena.memory else { panic!("the reference") };
    let last = usize::try_from(cost.blocks()).unwrap() - 1;
    [0, last / 2, last].map(|block| memory.complement(block))
}

#[test]
fn r28_of_the_memory_nothing_is_left_after_wiping_or_when_it_is_given_back() {
    let mut search = Search::new();
    for parallelism in [1, 2] {
        let cost = Cost { parallelism, ..COST };
        let remains = remains(cost, WIPED);
        for implementation in all() {
            let mut found = || remains.map(|complement| search.finds(complement, 64, |_| true));
            let mut arena = Arena::new(implementation, cost.memory_kib);
            hash(&mut arena, cost, WIPED);
            assert_eq!(found(), [true; 3], "{implementation}: this finds them");
            arena.wipe();
            assert_eq!(found(), [false; 3], "{implementation}: wiped");
            hash(&mut arena, cost, WIPED);
            drop(arena);
            assert_eq!(found(), [false; 3], "{implementation}: unmapped");
        }
    }
}

#[test]
fn r28_what_others_do_not_overwrite_is_not_left_for_long() {
    let small = Cost { memory_kib: 64, ..COST };
    // More than is kept, though as many blocks of it are used.
    let large = Cost { memory_kib: 4_100, parallelism: 2, ..COST };
    let [.., last] = remains(COST, NOT_OVERWRITTEN);
    let mut search = Search::new();
    for implementation in all() {
        for other in [small, large] {
            let mut arena = Arena::new(implementation, COST.memory_kib);
            hash(&mut arena, COST, NOT_OVERWRITTEN);
            let since = arena.remains_since;
            hash(&mut arena, other, STACK);
            assert_eq!(arena.remains_since, since, "{implementation} at {other}");
            assert!(search.finds(last, 64, |_| true), "{implementation}: a hash at {other} does not overwrite it");
            arena.remains_since = Instant::now().checked_sub(Arena::LONGEST_REMAINS);
            hash(&mut arena, other, STACK);
            assert!(!search.finds(last, 64, |_| true), "{implementation}: before a hash at {other}");
            let long_ago = Instant::now().checked_sub(Arena::LONGEST_REMAINS);
            arena.remains_since = long_ago;
            hash(&mut arena, COST, NOT_OVERWRITTEN);
            assert!(arena.remains_since > long_ago, "{implementation}: it overwrites all");
        }
    }
}

#[test]
fn r28_on_the_stack_nothing_is_left_of_the_password_and_its_first_digest() {
    let leaves = |implementation| {
        let mut search = Search::new();
        let here = 0;
        let address = (&raw const here).addr();
        let mut is_on_the_stack = |complement| search.finds(complement, 1, |range| range.contains(&address));
        let mut arena = Arena::new(implementation, COST.memory_kib);
        arena.compute(COST, Input::new(&password(), STACK), &mut [0; 32]).unwrap();
        // Of the others one clears it by itself, and one happens to write over it.
        if implementation == VECTORIZED {
            assert!(is_on_the_stack(FIRST_DIGEST), "this finds it");
        }
        arena.renew();
        assert!(!is_on_the_stack(FIRST_DIGEST), "{implementation}: after a panic");
        hash(&mut arena, COST, STACK);
        [PASSWORD, FIRST_DIGEST].map(is_on_the_stack)
    };
    for implementation in all() {
        let left = thread::spawn(move || leaves(implementation)).join().unwrap();
        assert_eq!(left, [false; 2], "{implementation}");
    }
}

/// Else [`clear_stack`] leaves some.
#[test]
fn r28_no_implementation_goes_deeper_than_half_of_what_is_cleared() {
    const STACK_BYTES: usize = 777 * 4_096;
    for implementation in all() {
        let (send, receive) = mpsc::channel();
        let (hold, until_let_go) = mpsc::channel::<()>();
        let hashing = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            let mut arena = Arena::new(implementation, COST.memory_kib);
            let here = 0;
            arena.compute(COST, Input::new(&password(), STACK), &mut [0; 32]).unwrap();
            send.send((&raw const here).addr()).unwrap();
            until_let_go.recv().unwrap_err();
        });
        let here = receive.recv().unwrap();
        let mut below = vec![0; STACK_BYTES / 2];
        let memory = File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut below, (here - STACK_BYTES / 2) as u64).unwrap();
        drop(hold);
        hashing.unwrap().join().unwrap();
        let depth = below.len() - below.iter().position(|byte| *byte != 0).unwrap();
        assert!((1_024..=CLEARED_STACK / 2).contains(&depth), "{implementation}: {depth} bytes");
    }
}
