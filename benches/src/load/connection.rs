//! One connection that is never waited for.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// The heads and bodies of all services here fit.
const ROOM: usize = 64 * 1024;

#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    incoming: Vec<u8>,
    filled: usize,
}

#[derive(Debug, Clone)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: Cow<'a, [u8]>,
}

impl Answer<'_> {
    /// The text of the first member with this name. Enough for tokens, which have nothing to unescape.
    pub fn text(&self, member: &str) -> Option<&str> {
        let body = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = body.split_once(&format!("\"{member}\":"))?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    }
}

impl Connection {
    /// # Errors
    /// If nobody listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, incoming: vec![0; ROOM], filled: 0 })
    }

    /// The kernel takes a request as a whole: it is short, and the one before has been answered.
    ///
    /// # Errors
    /// If it does not, or the connection is gone.
    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        match self.stream.write(request)? {
            n if n == request.len() => Ok(()),
            _ => Err(ErrorKind::WriteZero.into()),
        }
    }

    /// The answer, if all of it is there.
    ///
    /// # Errors
    /// If the connection is gone, or brings what is not an answer with a length or in chunks.
    pub fn receive<T>(&mut self, take: impl FnOnce(&Answer<'_>) -> T) -> io::Result<Option<T>> {
        let room = self.incoming.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.filled += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let Some(answer) = parse(self.incoming.get(..self.filled).unwrap_or_default())? else { return Ok(None) };
        let taken = take(&answer);
        self.filled = 0;
        Ok(Some(taken))
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<Answer<'_>>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = bytes.split_at(end + 4);
    let head = std::str::from_utf8(head).map_err(|_| ErrorKind::InvalidData)?;
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    let body = match length(head) {
        Some(length) => body.get(..length).filter(|_| body.len() == length).map(Cow::Borrowed),
        None if status == 204 => Some(Cow::default()),
        None if is_chunked(head) => joined(body)?.map(Cow::Owned),
        None => return Err(ErrorKind::InvalidData.into()),
    };
    Ok(body.map(|body| Answer { status, body }))
}

fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
    head.split("\r\n").filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
}

fn length(head: &str) -> Option<usize> {
    let (_, value) = fields(head).find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    value.parse().ok()
}

fn is_chunked(head: &str) -> bool {
    fields(head).any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked")
}

/// The body from its chunks (RFC 9112, section 7.1), once the last one is there. Knows no extensions and no trailers.
fn joined(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let (size, after) = rest.split_at(end);
        let size = std::str::from_utf8(size).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let size = size.ok_or(ErrorKind::InvalidData)?;
        let chunk = after.get(2..).and_then(|after| after.split_at_checked(size));
        let Some((chunk, Some(next))) = chunk.map(|(chunk, after)| (chunk, after.get(2..))) else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(chunk);
        rest = next;
    }
}
