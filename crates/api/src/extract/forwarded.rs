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
    lines.flat_map(move |line| from_the_right(line.as_bytes(), b',', is_standard)).map(move |entry| {
        let node = if is_standard { for_parameter(entry)? } else { entry };
        // Each by itself, so that bytes which are no text spoil no entry but their own.
        address(str::from_utf8(node.trim_ascii()).ok()?)
    })
}

/// What stands between separators, the last first. One in a quoted string (RFC 9110, section 5.6.4) separates nothing:
/// a proxy may quote there what a client chose, like `host`. Reading from the right, a quote that the client left open
/// before the proxy's entry is met too late to swallow it.
fn from_the_right(text: &[u8], separator: u8, has_quotes: bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut is_quoted = false;
        let end = text.iter().enumerate().rposition(|(at, byte)| {
            if has_quotes && *byte == b'"' {
                is_quoted = !is_quoted || is_escaped(text, at);
            }
            *byte == separator && !is_quoted
        });
        let Some((left, right)) = end.and_then(|end| text.split_at_checked(end)) else { return rest.take() };
        rest = Some(left);
        right.get(1..)
    })
}

fn is_escaped(text: &[u8], at: usize) -> bool {
    text.iter().take(at).rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// `for=` of one element of `Forwarded` (RFC 7239, section 4).
fn for_parameter(element: &[u8]) -> Option<&[u8]> {
    let node = from_the_right(element, b';', true).find_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(equals)?;
        name.trim_ascii().eq_ignore_ascii_case(b"for").then_some(value.get(1..)?.trim_ascii())
    })?;
    Some(node.strip_prefix(b"\"").and_then(|quoted| quoted.strip_suffix(b"\"")).unwrap_or(node))
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

    fn client(peer: &str, name: &str, lines: &[impl AsRef<[u8]>]) -> String {
        let forwarded_header: HeaderName = name.parse().unwrap();
        let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let headers = lines
            .iter()
            .map(|line| (forwarded_header.clone(), HeaderValue::from_bytes(line.as_ref()).unwrap()))
            .collect();
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
        let endless = format!("{}, 198.51.100.7", "203.0.113.1, ".repeat(1_000));
        let lines: [&[u8]; 10] = [
            b"x, 198.51.100.7",
            b", 198.51.100.7",
            b",,\t,198.51.100.7",
            b"203.0.113.1, x, 198.51.100.7, 10.1.1.1",
            b"\xe9, 198.51.100.7",
            b"203.0.113.1\xff, \xe9,\t198.51.100.7\t,\t10.1.1.1",
            b"\xc3\xa9, 198.51.100.7",
            b"\", 198.51.100.7",
            b"\t198.51.100.7",
            endless.as_bytes(),
        ];
        for line in lines {
            assert_eq!(client(PROXY, "x-forwarded-for", &[line]), "198.51.100.7", "{}", line.escape_ascii());
        }
        assert_eq!(client(PROXY, "x-forwarded-for", &["x", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(PROXY, "x-forwarded-for", &[&b"\xe9"[..], b"198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn d54_what_a_client_wrote_before_the_proxy_hides_nobody_in_the_standard_header_either() {
        let endless = format!("{}, for=198.51.100.7", "for=203.0.113.1, ".repeat(1_000));
        let lines: [&[u8]; 11] = [
            b"x, for=198.51.100.7",
            b",,\t,for=198.51.100.7",
            b"\xe9, for=198.51.100.7",
            b"for=203.0.113.1\xff, \xe9,\tfor=198.51.100.7\t;\tproto=https,\tfor=10.1.1.1",
            b"for=\"203.0.113.1, for=198.51.100.7",
            b"for=\"\\, for=\"198.51.100.7\"",
            b"\\\", for=198.51.100.7, for=10.1.1.1",
            b"for=198.51.100.7;host=\"\xe9\"",
            endless.as_bytes(),
            // What a proxy quotes of the client's request.
            b"for=198.51.100.7;host=\"a, for=203.0.113.1\"",
            b"host=\"a\\\";for=203.0.113.1, for=203.0.113.1;\\\\\";for=198.51.100.7;proto=\"https\"",
        ];
        for line in lines {
            assert_eq!(client(PROXY, "forwarded", &[line]), "198.51.100.7", "{}", line.escape_ascii());
        }
        assert_eq!(client(PROXY, "forwarded", &["for=\"x", "for=198.51.100.7"]), "198.51.100.7");
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

        #[test]
        fn d54_nothing_that_a_client_wrote_hides_what_the_proxy_wrote(
            line in prop::collection::vec(
                prop_oneof![Just(b'"'), Just(b'\\'), Just(b','), Just(b'\t'), b' '..=b'~', 128_u8..],
                0..60,
            )
        ) {
            let entries = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=\"198.51.100.7\";host=\",\"")];
            for (name, entry) in entries {
                let line = [&line, b", ".as_slice(), entry.as_bytes()].concat();
                prop_assert_eq!(client(PROXY, name, &[&line]), "198.51.100.7");
            }
        }
    }
}
