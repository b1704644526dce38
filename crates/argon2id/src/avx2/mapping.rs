//! Memory of the system's.

#![forbid(unsafe_code)]

use super::block::Block;
use memmap2::MmapMut;
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
        #[cfg(target_os = "linux")]
        {
            use memmap2::Advice;
            // Whole ones: a last one in part would be resident in full. Refused, a hash only takes longer.
            let whole = bytes - bytes % HUGE_PAGE;
            let rest = map.len() - begin - whole;
            let _ = map.advise_range(Advice::HugePage, begin, whole);
            let _ = map.advise_range(Advice::NoHugePage, begin + whole, rest);
        }
        Ok(Self { map, used: begin..begin + bytes })
    }

    /// Never empty for lack of them: the range is within the mapping, and of whole blocks.
    pub(super) fn blocks(&mut self) -> &mut [Block] {
        let bytes = self.map.get_mut(self.used.clone()).unwrap_or_default();
        <[Block]>::mut_from_bytes(bytes).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.used.len() / size_of::<Block>()
    }
}
