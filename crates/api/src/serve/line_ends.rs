//! Bare line feeds in the head of an HTTP/1 message.
//!
//! hyper takes them for line ends, as RFC 9112, section 2.2, allows. A proxy in front that does not would see another
//! message than we do, which is what request smuggling is made of, so they are refused.

/// Follows one connection's bytes.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    last: u8,
    /// Line ends in a row; `None` before the first line, where empty ones are passed over.
    row: Option<u8>,
}

impl LineEnds {
    /// What was read amid a head; `begins` if it is the first of it. The first bare line feed becomes a NUL, which no
    /// parser takes.
    pub(super) fn refuse_bare(&mut self, read: &mut [u8], begins: bool) {
        if begins {
            self.row = None;
        }
        for byte in read.iter_mut() {
            match (self.last, *byte) {
                // The end of the head: what follows is a body, or frames of HTTP/2.
                _ if self.row == Some(2) => break,
                (b'\r', b'\n') => self.row = self.row.map(|row| row + 1),
                (_, b'\n') => {
                    *byte = 0;
                    break;
                }
                (_, b'\r') => {}
                _ => self.row = Some(0),
            }
            self.last = *byte;
        }
        self.skip(read);
    }

    /// What was read while a request is being answered.
    pub(super) fn skip(&mut self, read: &[u8]) {
        self.last = read.last().copied().unwrap_or(self.last);
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

    proptest! {
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
    fn frames_after_the_preface_of_http2_pass() {
        let bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\n\n\n\n";
        assert_eq!(passed(&[bytes]), bytes);
    }
}
