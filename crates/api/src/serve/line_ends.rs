//! Line ends in the head of an HTTP/1 message.
//!
//! hyper takes bare line feeds for line ends, as RFC 9112, section 2.2, allows. A proxy in front that does not would
//! see another message than we do, which is what request smuggling is made of, so they are refused. It also passes over
//! any number of empty lines before a message, all of them anew with each packet; here a few are enough.

use memchr::memchr;

/// More than the one that section 2.2 asks for.
const MAX_EMPTY_LINES: u8 = 8;

/// Follows one connection's bytes.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    last: u8,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first line, after so many empty ones.
    Before(u8),
    FirstLine,
    /// In a further line, after so many line ends in a row.
    After(u8),
}

impl Default for Place {
    fn default() -> Self {
        Self::Before(0)
    }
}

impl LineEnds {
    /// What was read amid a head; `begins` if it is the first of it. The first line feed that is refused becomes a NUL,
    /// which no parser takes. Returns how many bytes there are up to the end of the head.
    pub(super) fn refuse_bare(&mut self, read: &mut [u8], begins: bool) -> usize {
        if begins {
            *self = Self::default();
        }
        let mut begun = 0;
        while !self.is_after_head()
            && let Some(rest) = read.get_mut(begun..)
            && !rest.is_empty()
        {
            let end = memchr(b'\n', rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if line.iter().any(|byte| *byte != b'\r') {
                self.place = match self.place {
                    Place::Before(_) | Place::FirstLine => Place::FirstLine,
                    Place::After(_) => Place::After(0),
                };
            }
            let Some(end) = end else { break };
            let before = line.last().copied().unwrap_or(self.last);
            self.place = match (self.place, before) {
                (Place::Before(empty), b'\r') if empty < MAX_EMPTY_LINES => Place::Before(empty + 1),
                (Place::FirstLine, b'\r') => Place::After(1),
                (Place::After(row), b'\r') => Place::After(row + 1),
                _ => {
                    rest.iter_mut().skip(end).take(1).for_each(|refused| *refused = 0);
                    break;
                }
            };
            self.last = b'\n';
            begun += end + 1;
        }
        self.last = read.last().copied().unwrap_or(self.last);
        if self.is_after_head() { begun } else { read.len() }
    }

    /// Whether the head has been seen to its end.
    pub(super) fn is_after_head(&self) -> bool {
        self.place == Place::After(2)
    }

    /// Whether the line with the target has begun and not ended.
    pub(super) fn is_in_first_line(&self) -> bool {
        self.place == Place::FirstLine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut line_ends, mut first) = (LineEnds::default(), true);
        let pass = |chunk: &&[u8]| {
            let mut chunk = chunk.to_vec();
            line_ends.refuse_bare(&mut chunk, std::mem::take(&mut first));
            chunk
        };
        chunks.iter().flat_map(pass).collect()
    }

    /// The rule, byte by byte.
    fn by_bytes(message: &[u8]) -> Vec<u8> {
        let (mut last, mut place, mut passed) = (0, Place::default(), message.to_vec());
        for byte in &mut passed {
            place = match (place, last, *byte) {
                (Place::After(2), _, _) => break,
                (Place::Before(empty), b'\r', b'\n') if empty < MAX_EMPTY_LINES => Place::Before(empty + 1),
                (Place::FirstLine, b'\r', b'\n') => Place::After(1),
                (Place::After(row), b'\r', b'\n') => Place::After(row + 1),
                (_, _, b'\n') => {
                    *byte = 0;
                    break;
                }
                (place, _, b'\r') => place,
                (Place::Before(_) | Place::FirstLine, _, _) => Place::FirstLine,
                (Place::After(_), _, _) => Place::After(0),
            };
            last = *byte;
        }
        passed
    }

    proptest! {
        #[test]
        fn the_rule_holds_for_any_bytes_however_they_are_cut(message in "[\r\nx]{0,24}", cuts in any::<[u8; 2]>()) {
            let mut cuts = cuts.map(|cut| usize::from(cut) % (message.len() + 1));
            cuts.sort_unstable();
            let (rest, three) = message.as_bytes().split_at(cuts[1]);
            let (one, two) = rest.split_at(cuts[0]);
            let passed = passed(&[one, two, three]);
            // What comes after a refusal is nobody's.
            let expected = by_bytes(message.as_bytes());
            let until = expected.iter().position(|byte| *byte == 0).map_or(expected.len(), |refused| refused + 1);
            prop_assert_eq!(&passed[..until], &expected[..until]);
        }

        #[test]
        fn a_head_with_proper_line_ends_passes_however_it_is_cut(cut in 0_usize..42) {
            let message = b"POST / HTTP/1.1\r\nhost: x\r\na: b\r\n\r\none\ntwo\n";
            let (one, two) = message.split_at(cut);
            prop_assert_eq!(passed(&[one, two]), message);
        }
    }

    #[test]
    fn the_first_bare_line_feed_of_a_head_does_not() {
        for bare in [
            "GET / HTTP/1.1\nhost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\n\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\n",
            "\r\n\r\nGET / HTTP/1.1\n",
        ] {
            assert!(passed(&[bare.as_bytes()]).contains(&0), "{bare:?}");
        }
    }

    #[test]
    fn a_few_empty_lines_before_a_head_pass_and_no_more() {
        let after = |empty: usize| passed(&["\r\n".repeat(empty).as_bytes(), b"GET / HTTP/1.1\r\n\r\n"]);
        assert!(!after(8).contains(&0));
        assert!(after(9).contains(&0));
    }

    #[test]
    fn the_first_line_is_told_from_the_others() {
        let mut line_ends = LineEnds::default();
        let mut steps =
            [("\r\n", false), ("GET", true), (" / HTTP/1.1\r", true), ("\n", false), ("host: x\r\n", false)];
        for (index, (text, is_first)) in steps.iter_mut().enumerate() {
            line_ends.refuse_bare(&mut text.as_bytes().to_vec(), index == 0);
            assert_eq!(line_ends.is_in_first_line(), *is_first, "{text:?}");
        }
    }

    #[test]
    fn frames_after_the_preface_of_http2_pass() {
        let bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\n\n\n\n";
        assert_eq!(passed(&[bytes]), bytes);
    }
}
