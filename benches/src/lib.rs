//! What the benches measure with: a load generator, processes pinned to cores, and the pages on which the figures
//! stand.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts, rates and coordinates are far below 2^53"
)]

pub mod baseline;
pub mod load;
pub mod place;
pub mod plot;
pub mod table;
