//! Decides whose word about a caller counts: a mesh proxy that has checked the client's certificate names its SPIFFE
//! id in the `x-forwarded-client-cert` header. From anybody else the header is ignored.

use std::net::IpAddr;

use http::HeaderMap;

use super::certificate::is_spiffe_id;
use super::pattern::Pattern;

/// The header in which Envoy, and so Istio, names the client of a call.
pub const HEADER: &str = "x-forwarded-client-cert";

/// The configured proxies.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// Addresses that a proxy calls from.
    pub addresses: Vec<IpAddr>,
    /// SPIFFE ids of the proxies' own certificates.
    pub identities: Vec<Pattern>,
}

impl TrustedProxies {
    /// Returns whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.identities.is_empty()
    }

    /// Returns whether a call from `address`, by a peer with the certificate `id`, comes from a trusted proxy.
    pub fn trust(&self, address: Option<IpAddr>, id: Option<&str>) -> bool {
        let by_address = address.is_some_and(|address| self.addresses.contains(&address.to_canonical()));
        by_address || id.is_some_and(|id| self.identities.iter().any(|known| known.matches(id)))
    }
}

/// Reads the SPIFFE id of the client from the header; the last element counts, because each proxy adds its own.
pub fn named_client(headers: &HeaderMap) -> Option<String> {
    let text = headers.get_all(HEADER).iter().next_back()?.to_str().ok()?;
    let element = split_unquoted(text, ',').pop()?;
    let ids: Vec<_> = split_unquoted(element, ';')
        .into_iter()
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| key.eq_ignore_ascii_case("URI"))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .collect();
    // Several names would leave open which one the proxy has checked.
    <[String; 1]>::try_from(ids).ok().map(|[id]| id).filter(|id| is_spiffe_id(id))
}

fn split_unquoted(text: &str, mark: char) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(|c| {
        let at_mark = c == mark && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        at_mark
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn named(text: &'static str) -> Option<String> {
        named_client(&HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(text))]))
    }

    #[test]
    fn the_last_proxys_client_is_the_caller() {
        let client = named(
            r#"By=spiffe://a/x;URI=spiffe://a/far,By=spiffe://a/y;Hash=12;Subject="CN=\"a,b\";O=c";URI=spiffe://a/near"#,
        );
        assert_eq!(client.as_deref(), Some("spiffe://a/near"));
    }

    #[test]
    fn a_header_that_names_nobody_or_two_names_nobody() {
        for text in ["", "By=spiffe://a/x", "URI=spiffe://a/x;URI=spiffe://a/y", "URI=https://a/x", "URI=spiffe:///x"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn only_configured_proxies_are_trusted() {
        let proxies = TrustedProxies {
            addresses: vec!["10.0.0.1".parse().unwrap()],
            identities: vec![Pattern::new("spiffe://a/ns/mesh/*")],
        };
        assert!(proxies.trust(Some("::ffff:10.0.0.1".parse().unwrap()), None));
        assert!(proxies.trust(None, Some("spiffe://a/ns/mesh/sa/gateway")));
        assert!(!proxies.trust(Some("10.0.0.2".parse().unwrap()), Some("spiffe://a/ns/other/sa/gateway")));
        assert!(!TrustedProxies::default().trust(Some("127.0.0.1".parse().unwrap()), None));
    }
}
