//! Memory of the system's.

use super::block::Block;
use memmap2::MmapMut;
use std::fmt;
use std::io;
use std::ops::Range;
use zerocopy::FromBytes;

const HUGE_PAGE: usize = 2 * 1024 * 1024;

pub(super) struct Mapping {
    map: MmapMut,
    /// Begins where a huge page does.
    used: Range<usize>,
}

impl Mapping {
    pub(super) fn new(kib: u32) -> io::Result<Self> {
        let bytes = kib as usize * size_of::<Block>();
        let map = MmapMut::map_anon(bytes + HUGE_PAGE)?;
        let begin = map.as_ptr().align_offset(HUGE_PAGE);
        // Whole ones: a last one in part would be resident in full. Without, a hash only takes longer.
        #[cfg(target_os = "linux")]
        let _ = map.advise_range(memmap2::Advice::HugePage, begin, bytes - bytes % HUGE_PAGE);
        Ok(Self { map, used: begin..begin + bytes })
    }

    pub(super) fn blocks(&mut self) -> &mut [Block] {
        let bytes = self.map.get_mut(self.used.clone()).unwrap_or_default();
        <[Block]>::mut_from_bytes(bytes).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.used.len() / size_of::<Block>()
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping").field("kib", &self.len()).finish_non_exhaustive()
    }
}
