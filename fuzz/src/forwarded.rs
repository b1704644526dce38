//! Whatever a client writes into the header that proxies write: it chooses no address but its own.

use crate::headers::{and, lines};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use vestibule_api::{HttpSettings, fuzzing};

const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// Whether it is taken.
pub fn check(input: &[u8]) -> bool {
    // The header, how the proxy writes the client into it, and another proxy of ours.
    let headers = [("x-forwarded-for", "198.51.100.7", "10.0.0.2"), ("forwarded", "for=198.51.100.7", "for=10.0.0.2")];
    let mut taken = false;
    for (name, client, proxy) in headers {
        let name = HeaderName::from_static(name);
        let trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
        let settings = HttpSettings { forwarded_header: name.clone(), trusted_proxies, ..HttpSettings::default() };
        let address = |peer, headers: &HeaderMap| fuzzing::client_address(peer, headers, &settings);
        let sent = lines(&name, input);
        assert_eq!(address(STRANGER, &sent), STRANGER, "nobody trusts this peer");
        // What a client sent through the proxy counts for nothing, in a line of its own or in the proxy's.
        assert_eq!(address(PROXY, &and(&sent, &name, client)), CLIENT, "the client hid behind lines");
        for line in sent.values() {
            let line = HeaderValue::from_bytes(&[line.as_bytes(), b", ", client.as_bytes()].concat()).expect("a line");
            let forwarded = address(PROXY, &HeaderMap::from_iter([(name.clone(), line)]));
            assert_eq!(forwarded, CLIENT, "the client hid in the line");
        }

        let found = address(PROXY, &sent);
        assert_eq!(found, found.to_canonical(), "a second spelling of an address");
        if found != PROXY {
            assert!(sent.values().any(|line| names(line, found)), "{found} was made up");
            assert_eq!(address(PROXY, &and(&sent, &name, proxy)), found, "a second proxy hides the client");
            taken = true;
        }
    }
    taken
}

/// Whether the line has this address between commas, in any notation.
fn names(line: &HeaderValue, address: IpAddr) -> bool {
    String::from_utf8_lossy(line.as_bytes()).split([',', ';']).any(|entry| {
        let node = entry.split_once('=').map_or(entry, |(_, node)| node).trim().trim_matches('"').trim();
        let bare = node.trim_start_matches('[').trim_end_matches(']');
        let found = bare.parse().ok().or_else(|| node.parse().ok().map(|socket: SocketAddr| socket.ip()));
        found.map(|found: IpAddr| found.to_canonical()) == Some(address)
    })
}
