//! One connection that is never waited for.

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

#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The text of the first member with this name. Enough for tokens, which have nothing to unescape.
    pub fn text(&self, member: &str) -> Option<&str> {
        let body = std::str::from_utf8(self.body).ok()?;
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
    /// If the connection is gone, or brings what is not an answer with a length.
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

fn parse(bytes: &[u8]) -> io::Result<Option<Answer<'_>>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = bytes.split_at(end + 4);
    let head = std::str::from_utf8(head).map_err(|_| ErrorKind::InvalidData)?;
    let status = head.get(9..12).and_then(|text| text.parse().ok()).ok_or(ErrorKind::InvalidData)?;
    let length = match length(head) {
        Some(length) => length,
        None if status == 204 => 0,
        None => return Err(ErrorKind::InvalidData.into()),
    };
    Ok(body.get(..length).filter(|_| body.len() == length).map(|body| Answer { status, body }))
}

fn length(head: &str) -> Option<usize> {
    let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.find(|(name, _)| is_length(name)).and_then(|(_, value)| value.trim().parse().ok())
}
