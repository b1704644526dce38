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

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// What the kernel knows of the mapping that holds an address (`proc_pid_smaps(5)`, `VmFlags`).
    fn flags(address: usize) -> Vec<String> {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let hex = |text: &str| usize::from_str_radix(text, 16);
        let holds = |line: &&str| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            range.is_some_and(|(from, to)| {
                hex(from).is_ok_and(|from| from <= address) && hex(to).is_ok_and(|to| address < to)
            })
        };
        let flags = maps.lines().skip_while(|line| !holds(line)).find_map(|line| line.strip_prefix("VmFlags: "));
        flags.unwrap().split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn huge_pages_are_asked_for_where_a_whole_one_is_needed_and_refused_beyond() {
        const BYTES: usize = 5 * 1_024 * 1_024;
        let is_known = Path::new("/sys/kernel/mm/transparent_hugepage").exists();
        let mut mapping = Mapping::new(5 * 1_024).unwrap();
        let blocks = mapping.blocks().as_ptr_range();
        let begin = blocks.start.addr();
        assert_eq!((begin % HUGE_PAGE, blocks.end.addr() - begin), (0, BYTES));
        for (offset, flag) in [(0, "hg"), (2 * HUGE_PAGE - 1, "hg"), (2 * HUGE_PAGE, "nh"), (BYTES, "nh")] {
            let flags = flags(begin + offset);
            assert_eq!(flags.iter().any(|known| known == flag), is_known, "{flag} at {offset}: {flags:?}");
        }
    }
}
