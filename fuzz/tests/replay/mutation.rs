//! Inputs that are almost like those of a corpus.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What parsers stumble over, and what random bytes would take ages to spell.
const PIECES: [&[u8]; 40] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\u0041",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b",",
    b";",
    b"=",
    b"&",
    b"%00",
    b"%2",
    b"+",
    b"-",
    b"0",
    b"9223372036854775808",
    b"1e400",
    b".",
    b"..",
    b"@",
    b"xn--",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xff",
    b"\xe2\x80\xae",
    b"\xc4\xb1",
    b"\xef\xbc\xa0",
    b"W/",
    b"*",
    b"$",
];

const MAX_BYTES: usize = 4 * 1024;

pub(crate) struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    rng: ChaCha8Rng,
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(corpus: &'a [Vec<u8>]) -> Self {
        Self { corpus, rng: ChaCha8Rng::seed_from_u64(0) }
    }

    /// One of the corpus with one to four changes.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.any();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(MAX_BYTES);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let place = self.below(input.len() + 1);
        let end = place + self.below((input.len() - place).min(16) + 1);
        match self.below(6) {
            0 => drop(input.splice(place..end, [])),
            1 => drop(input.splice(place..place, PIECES[self.below(PIECES.len())].iter().copied())),
            2 => drop(input.splice(place..end, PIECES[self.below(PIECES.len())].iter().copied())),
            3 => {
                let twice = input[place..end].to_vec();
                input.splice(place..place, twice);
            }
            4 => {
                let other = self.any();
                let from = self.below(other.len() + 1);
                input.splice(place.., other[from..].iter().copied());
            }
            _ => {
                let bit = 1 << self.below(8);
                if let Some(byte) = input.get_mut(place) {
                    *byte ^= bit;
                }
            }
        }
    }

    fn any(&mut self) -> Vec<u8> {
        let index = self.below(self.corpus.len());
        self.corpus[index].clone()
    }

    /// A number under `bound`, which is small: that some come up more often by a billionth does not matter.
    fn below(&mut self, bound: usize) -> usize {
        self.rng.next_u32() as usize % bound
    }
}
