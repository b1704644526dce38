//! Services that do the same work as Vestibule and nothing else: what its figures are compared with, in the same run.
//!
//! ```text
//! floor axum STORE                 serves; the first line of its output is {"address": …, "token": …}
//! floor actix                      the same, without a store
//! floor hash CRATE SECONDS         bare argon2id by `argon2` or `argon2-rust`, hashes a second
//! floor statements STORE SECONDS   bare statements, {"selects": …, "commits": …} a second
//! ```
#![expect(clippy::expect_used, clippy::print_stdout, clippy::panic, reason = "a floor that cannot be laid has to stop")]
#![expect(clippy::disallowed_methods, reason = "a floor has no ports: time, randomness and threads are the system's")]

mod hash;
mod on_actix;
mod on_axum;
mod statements;
mod store;
mod token;

use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use store::Store;
use token::Tokens;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["axum", store] => runtime().block_on(on_axum::serve(store)),
        ["actix"] => on_actix::serve().expect("a listener"),
        ["hash", "argon2", time] => println!("{}", hash::by_argon2(seconds(time))),
        ["hash", "argon2-rust", _] if !cfg!(feature = "argon2-rust-as-it-comes") => {
            panic!("built without --features argon2-rust-as-it-comes")
        }
        ["hash", "argon2-rust", time] => println!("{}", hash::by_argon2_rust(seconds(time))),
        ["statements", store, time] => {
            let (selects, commits) = runtime().block_on(statements::per_second(store, seconds(time)));
            println!("{}", json!({ "selects": selects, "commits": commits }));
        }
        _ => panic!("floor axum STORE | actix | hash CRATE SECONDS | statements STORE SECONDS"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().expect("a number of seconds"))
}

/// Tells where the service listens and which token it takes.
fn announce(address: SocketAddr, tokens: &Tokens) {
    println!("{}", json!({ "address": address.to_string(), "token": tokens.sign("ada@example.com") }));
}
