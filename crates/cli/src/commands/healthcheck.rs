//! `vestibule healthcheck`: one request to this machine's own service, without the runtime of a server.

use crate::config::{Config, Inputs};
use crate::failure::Failure;
use crate::output;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Readiness answers within a second; a container that takes longer is not well.
const DEADLINE: Duration = Duration::from_secs(3);
/// A status line is shorter.
const MOST_BYTES: u64 = 256;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example, in a Dockerfile:
  HEALTHCHECK CMD [\"/usr/local/bin/vestibule\", \"healthcheck\"]

Exit status: 0 if the answer is 200, 1 if it is another one or none comes within 3 s.")]
pub(crate) struct HealthcheckArgs {
    /// Ask whether it can serve clients (/health/ready) rather than only whether it lives (/health/live)
    #[arg(long)]
    ready: bool,
}

pub(crate) fn run(inputs: &Inputs, args: &HealthcheckArgs) -> Result<(), Failure> {
    let config = Config::load(inputs)?;
    let address = reachable(config.http.listen);
    let path = if args.ready { "/health/ready" } else { "/health/live" };
    match status(address, path) {
        Ok(200) => Ok(output::line(format_args!("{address}{path}: 200"))?),
        Ok(status) => {
            Err(Failure::refused(format!("{address}{path}: {status}\n  `vestibule doctor` looks for the cause")))
        }
        Err(error) => Err(Failure::refused(format!(
            "{address}{path}: {error}\n  see whether the service runs, and whether it listens there (http.listen)"
        ))),
    }
}

/// Who listens on all addresses is reached on the loopback.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The status of the answer to a GET.
pub(super) fn status(address: SocketAddr, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_BYTES)).read_line(&mut line)?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "does not answer as an HTTP server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answering(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut request = BufReader::new(&stream);
            let mut line = String::new();
            while request.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            (&stream).write_all(answer).unwrap();
        });
        address
    }

    #[test]
    fn the_status_of_the_answer_counts() {
        let up = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(status(up, "/health/live").unwrap(), 200);
        let down = answering(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(status(down, "/health/ready").unwrap(), 503);
    }

    #[test]
    fn whatever_is_no_http_is_an_error() {
        assert!(status(answering(b"220 mail.example.com ESMTP\r\n"), "/health/live").is_err());
        assert!(status(answering(b""), "/health/live").is_err());
    }

    #[test]
    fn all_addresses_are_reached_on_the_loopback() {
        for (listen, expected) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.1.2.3:80", "10.1.2.3:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }
}
