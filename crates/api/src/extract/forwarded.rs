//! The client's address behind proxies. A header says what its last writer wants it to say, so only what trusted
//! proxies wrote counts: the right-most entry that is not one of theirs.

use crate::state::HttpSettings;
use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The peer itself, if it is no trusted proxy or its header makes no sense.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, settings: &HttpSettings) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, &settings.trusted_proxies) {
        return peer;
    }
    let mut farthest = peer;
    for hop in hops(headers, settings) {
        match hop {
            Some(hop) if is_trusted(hop, &settings.trusted_proxies) => farthest = hop,
            // What stands before it was written by the client.
            Some(client) => return client,
            None => return peer,
        }
    }
    // All of them trusted: a request from inside, and the first of them made it.
    farthest
}

fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|net| net.contains(&address))
}

/// From the nearest to the farthest; `None` for one that is malformed.
fn hops(headers: &HeaderMap, settings: &HttpSettings) -> impl Iterator<Item = Option<IpAddr>> {
    let is_standard = settings.forwarded_header == FORWARDED;
    let lines = headers.get_all(&settings.forwarded_header).iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',')).map(move |entry| {
        let node = if is_standard { for_parameter(entry)? } else { entry };
        address(node.trim())
    })
}

/// `for=` of one element of `Forwarded` (RFC 7239, section 4).
fn for_parameter(element: &str) -> Option<&str> {
    let node = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    Some(node.strip_prefix('"').and_then(|quoted| quoted.strip_suffix('"')).unwrap_or(node))
}

/// An address, as proxies write it: alone, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    // One spelling each, so that ::ffff:192.0.2.1 is no second client.
    text.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";

    fn client(peer: &str, name: &str, lines: &[&str]) -> String {
        let forwarded_header: HeaderName = name.parse().unwrap();
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers =
            lines.iter().map(|line| (forwarded_header.clone(), HeaderValue::from_str(line).unwrap())).collect();
        let settings = HttpSettings { trusted_proxies, forwarded_header, ..HttpSettings::default() };
        client_address(peer.parse().unwrap(), &headers, &settings).to_string()
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        assert_eq!(client("192.0.2.9", "x-forwarded-for", &["198.51.100.7"]), "192.0.2.9");
    }

    #[test]
    fn the_nearest_hop_that_is_no_proxy_is_the_client() {
        let xff = |lines: &[&str]| client(PROXY, "x-forwarded-for", lines);
        assert_eq!(xff(&["198.51.100.7"]), "198.51.100.7");
        assert_eq!(xff(&["203.0.113.66, 198.51.100.7, 10.2.3.4"]), "198.51.100.7");
        assert_eq!(xff(&["203.0.113.66", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(xff(&["10.9.9.9, 10.2.3.4"]), "10.9.9.9");
        assert_eq!(xff(&[]), PROXY);
    }

    #[test]
    fn an_address_has_one_spelling() {
        for spelling in ["::ffff:198.51.100.7", "198.51.100.7:4711", "[::ffff:198.51.100.7]:4711"] {
            assert_eq!(client(PROXY, "x-forwarded-for", &[spelling]), "198.51.100.7");
        }
        for spelling in ["2001:DB8::1", "[2001:db8:0:0::1]", "[2001:db8::1]:443"] {
            assert_eq!(client(PROXY, "x-forwarded-for", &[spelling]), "2001:db8::1");
        }
        assert_eq!(client("::ffff:10.0.0.1", "x-forwarded-for", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn a_malformed_header_counts_for_nothing() {
        for line in
            ["", "unknown", "198.51.100.7,", "1.2.3", "0x7f.1", "198.51.100.07", "198.51.100.7, x", "fe80::1%eth0"]
        {
            assert_eq!(client(PROXY, "x-forwarded-for", &[line]), PROXY, "{line}");
        }
        // Nor does what the proxies before the nearest one wrote of each other.
        assert_eq!(client(PROXY, "x-forwarded-for", &["x, 10.2.3.4"]), PROXY);
    }

    #[test]
    fn d54_what_a_client_wrote_before_the_proxy_hides_nobody() {
        for line in ["x, 198.51.100.7", ", 198.51.100.7", "203.0.113.1, x, 198.51.100.7, 10.1.1.1"] {
            assert_eq!(client(PROXY, "x-forwarded-for", &[line]), "198.51.100.7", "{line}");
        }
        assert_eq!(client(PROXY, "x-forwarded-for", &["x", "198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn the_standard_header_is_understood() {
        let forwarded = |line: &str| client(PROXY, "forwarded", &[line]);
        assert_eq!(forwarded("for=198.51.100.7;proto=https"), "198.51.100.7");
        assert_eq!(forwarded("proto=https; For=\"[2001:db8::1]:4711\", for=10.1.1.1"), "2001:db8::1");
        assert_eq!(forwarded("for=_hidden"), PROXY);
        assert_eq!(forwarded("by=198.51.100.7"), PROXY);
    }

    proptest! {
        #[test]
        fn any_header_gives_an_address(line in "[ -~]{0,60}") {
            client(PROXY, "x-forwarded-for", &[&line]);
            client(PROXY, "forwarded", &[&line]);
        }
    }
}
