//! The compression function G (RFC 9106, sections 3.5 and 3.6).
//!
//! Four vectors are the four rows of a 4 × 4 matrix of words, which one permutation P transforms. Each step of it waits
//! for the one before, so several permutations run beside each other: four are as many as sixteen registers feed.

#![forbid(unsafe_code)]
#![expect(clippy::indexing_slicing, reason = "of arrays, by loops to constants below their lengths")]

use super::block::{Block, Vector};
use std::arch::x86_64::{
    _mm256_add_epi64, _mm256_alignr_epi8, _mm256_extract_epi64, _mm256_mul_epu32, _mm256_permute4x64_epi64,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_srli_epi64,
    _mm256_xor_si256,
};
use std::hint::black_box;

/// Rows a, b, c and d of `N` matrices.
type Matrices<const N: usize> = [[Vector; N]; 4];

/// Rotations of words by whole bytes, as orders of the bytes.
#[derive(Clone, Copy)]
pub(super) struct Rotations {
    by_24: Vector,
    by_16: Vector,
}

impl Rotations {
    /// Hidden from the compiler, which would make two instructions of one.
    #[target_feature(enable = "avx2")]
    pub(super) fn new() -> Self {
        #[rustfmt::skip]
        let (by_24, by_16) = (
            _mm256_setr_epi8(
                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
            ),
            _mm256_setr_epi8(
                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
            ),
        );
        Self { by_24: black_box(by_24), by_16: black_box(by_16) }
    }
}

/// Computes G of `previous` and `reference` into `current`; with `XOR`, into what is there already. `on_first_word` is
/// called as soon as its first word is known.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn compress<const XOR: bool>(
    previous: &Block,
    reference: &Block,
    current: &mut Block,
    rotations: Rotations,
    on_first_word: impl FnOnce(u64),
) {
    let halves = [rows(previous, reference, 0, rotations), rows(previous, reference, 4, rotations)];
    let columns = Columns { halves, previous, reference, rotations };
    on_first_word(columns.finish::<XOR, 2>(0, current));
    columns.finish::<XOR, 2>(1, current);
    columns.finish::<XOR, 4>(2, current);
}

/// Four rows of the block, from the first on, each of which is a matrix.
#[target_feature(enable = "avx2")]
#[inline]
fn rows(previous: &Block, reference: &Block, first: usize, rotations: Rotations) -> Matrices<4> {
    let mut matrices = [[_mm256_setzero_si256(); 4]; 4];
    for (row, vectors) in matrices.iter_mut().enumerate() {
        for (matrix, vector) in vectors.iter_mut().enumerate() {
            *vector = _mm256_xor_si256(previous.0[first + matrix][row], reference.0[first + matrix][row]);
        }
    }
    mix(&mut matrices, rotations);
    diagonalize(&mut matrices);
    mix(&mut matrices, rotations);
    undiagonalize(&mut matrices);
    matrices
}

struct Columns<'a> {
    halves: [Matrices<4>; 2],
    previous: &'a Block,
    reference: &'a Block,
    rotations: Rotations,
}

impl Columns<'_> {
    /// Computes `N / 2` columns of vectors, from `first` on, into `current`, and gives their first word. A column holds
    /// two matrices: the lower halves of its vectors are one, the upper halves the other.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn finish<const XOR: bool, const N: usize>(&self, first: usize, current: &mut Block) -> u64 {
        let Self { halves, previous, reference, rotations } = self;
        let at = |row, place| (first + place / 2, 2 * row + place % 2);
        let mut matrices = [[_mm256_setzero_si256(); N]; 4];
        for (row, vectors) in matrices.iter_mut().enumerate() {
            for (place, vector) in vectors.iter_mut().enumerate() {
                let (column, of_block) = at(row, place);
                *vector = halves[of_block / 4][column][of_block % 4];
            }
        }
        mix(&mut matrices, *rotations);
        diagonalize_halves(&mut matrices);
        mix(&mut matrices, *rotations);
        undiagonalize_halves(&mut matrices);
        for (row, vectors) in matrices.iter_mut().enumerate() {
            for (place, vector) in vectors.iter_mut().enumerate() {
                let (column, of_block) = at(row, place);
                let before = _mm256_xor_si256(previous.0[of_block][column], reference.0[of_block][column]);
                *vector = _mm256_xor_si256(*vector, before);
                let to = &mut current.0[of_block][column];
                if XOR {
                    *vector = _mm256_xor_si256(*vector, *to);
                }
                *to = *vector;
            }
        }
        _mm256_extract_epi64::<0>(matrices[0][0]).cast_unsigned()
    }
}

/// GB of each column.
#[target_feature(enable = "avx2")]
#[inline]
fn mix<const N: usize>([a, b, c, d]: &mut Matrices<N>, rotations: Rotations) {
    for i in 0..N {
        a[i] = multiply_add(a[i], b[i]);
    }
    for i in 0..N {
        d[i] = _mm256_shuffle_epi32::<0b10_11_00_01>(_mm256_xor_si256(d[i], a[i]));
    }
    for i in 0..N {
        c[i] = multiply_add(c[i], d[i]);
    }
    for i in 0..N {
        b[i] = _mm256_shuffle_epi8(_mm256_xor_si256(b[i], c[i]), rotations.by_24);
    }
    for i in 0..N {
        a[i] = multiply_add(a[i], b[i]);
    }
    for i in 0..N {
        d[i] = _mm256_shuffle_epi8(_mm256_xor_si256(d[i], a[i]), rotations.by_16);
    }
    for i in 0..N {
        c[i] = multiply_add(c[i], d[i]);
    }
    for i in 0..N {
        let sum = _mm256_xor_si256(b[i], c[i]);
        b[i] = _mm256_xor_si256(_mm256_srli_epi64::<63>(sum), _mm256_add_epi64(sum, sum));
    }
}

/// a + b + 2 · (a mod 2³²) · (b mod 2³²).
#[target_feature(enable = "avx2")]
#[inline]
fn multiply_add(a: Vector, b: Vector) -> Vector {
    let product = _mm256_mul_epu32(a, b);
    _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(product, product))
}

/// Makes columns of the diagonals.
#[target_feature(enable = "avx2")]
#[inline]
fn diagonalize<const N: usize>([_, b, c, d]: &mut Matrices<N>) {
    for i in 0..N {
        b[i] = _mm256_permute4x64_epi64::<0b00_11_10_01>(b[i]);
        c[i] = _mm256_permute4x64_epi64::<0b01_00_11_10>(c[i]);
        d[i] = _mm256_permute4x64_epi64::<0b10_01_00_11>(d[i]);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn undiagonalize<const N: usize>([_, b, c, d]: &mut Matrices<N>) {
    for i in 0..N {
        b[i] = _mm256_permute4x64_epi64::<0b10_01_00_11>(b[i]);
        c[i] = _mm256_permute4x64_epi64::<0b01_00_11_10>(c[i]);
        d[i] = _mm256_permute4x64_epi64::<0b00_11_10_01>(d[i]);
    }
}

/// [`diagonalize`] where the lower halves of two neighbours are the row of one matrix, and the upper ones of another.
#[target_feature(enable = "avx2")]
#[inline]
fn diagonalize_halves<const N: usize>([_, b, c, d]: &mut Matrices<N>) {
    for i in (0..N).step_by(2) {
        (b[i], b[i + 1]) = (_mm256_alignr_epi8::<8>(b[i + 1], b[i]), _mm256_alignr_epi8::<8>(b[i], b[i + 1]));
        c.swap(i, i + 1);
        (d[i], d[i + 1]) = (_mm256_alignr_epi8::<8>(d[i], d[i + 1]), _mm256_alignr_epi8::<8>(d[i + 1], d[i]));
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn undiagonalize_halves<const N: usize>([_, b, c, d]: &mut Matrices<N>) {
    for i in (0..N).step_by(2) {
        (b[i], b[i + 1]) = (_mm256_alignr_epi8::<8>(b[i], b[i + 1]), _mm256_alignr_epi8::<8>(b[i + 1], b[i]));
        c.swap(i, i + 1);
        (d[i], d[i + 1]) = (_mm256_alignr_epi8::<8>(d[i + 1], d[i]), _mm256_alignr_epi8::<8>(d[i], d[i + 1]));
    }
}
