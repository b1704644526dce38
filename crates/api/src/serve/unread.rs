//! Messages that hyper cannot read.
//!
//! Of such a message it makes no request: it answers with a head alone and closes. That head is kept back
//! ([`super::socket`]), and the client is answered by the same middleware as everybody, through another connection of
//! hyper's that reads a request which stands for the message and writes to the client.

use super::socket::Socket;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use std::error::Error;
use tokio::io::{Join, join};

/// Has nothing of the message in it.
const STAND_IN: &[u8] = b"UNKNOWN / HTTP/1.1\r\nconnection: close\r\n\r\n";

/// Writes what `service` answers to the stand-in.
pub(super) fn answer_over<S, B>(socket: Socket, service: S) -> Connection<TokioIo<Join<&'static [u8], Socket>>, S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // The stand-in ends, but nobody has gone.
    Builder::new().half_close(true).serve_connection(TokioIo::new(join(STAND_IN, socket.unwatched())), service)
}
