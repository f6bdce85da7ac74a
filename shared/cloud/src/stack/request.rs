//! Decides what a vendor call is before it is signed: pure data, built by one file per action.

use std::fmt;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sampan_core::{Cloud, Region};

/// Everything but the unreserved characters of RFC 3986: what both vendors' canonical forms encode.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same, for a path: slashes stay.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// Whether a call can be made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// Reads only: repeated within the budget.
    Safe,
    /// Changes something, but a repetition changes nothing more (the vendor knows it by a token, or the call sets a
    /// state): repeated within the budget.
    Keyed,
    /// Changes something each time: repeated only when the attempt surely had no effect.
    Unsafe,
}

/// One vendor call, unsigned.
///
/// `Debug` shows where it goes, never headers, query or body.
#[derive(Clone)]
pub struct ApiRequest {
    /// The cloud that is called.
    pub cloud: Cloud,
    /// The vendor's short name of the product, such as `cvm`; signatures carry it.
    pub service: &'static str,
    /// The vendor's name of the action.
    pub action: &'static str,
    /// Region that the call is about.
    pub region: Region,
    /// HTTP method.
    pub method: Method,
    /// Scheme and authority, such as `https://cvm.tencentcloudapi.com`, without a trailing slash.
    pub endpoint: String,
    /// Path before percent-encoding, with its leading slash.
    pub path: String,
    /// Query before percent-encoding, in the order of the wire.
    pub query: Vec<(String, String)>,
    /// Headers that the action wants; those of date, nonce and signature come from the signer.
    pub headers: HeaderMap,
    /// Body; empty for GET and HEAD.
    pub body: Bytes,
    /// Whether the call can be made twice.
    pub idempotency: Idempotency,
    /// Requests per second that the vendor permits for this action and region; `None` when it names no number.
    pub per_second: Option<u32>,
}

/// The part of a request that errors and spans show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) cloud: Cloud,
    pub(super) action: &'static str,
    pub(super) idempotency: Idempotency,
}

impl ApiRequest {
    /// Begins a `GET` of `/` without headers and body that reads only; the caller changes what differs.
    pub fn get(
        cloud: Cloud,
        service: &'static str,
        action: &'static str,
        region: &Region,
        endpoint: impl Into<String>,
    ) -> Self {
        Self {
            cloud,
            service,
            action,
            region: region.clone(),
            method: Method::GET,
            endpoint: endpoint.into(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            idempotency: Idempotency::Safe,
            per_second: None,
        }
    }

    /// Returns the part that errors show.
    pub(super) fn head(&self) -> Head {
        Head { cloud: self.cloud, action: self.action, idempotency: self.idempotency }
    }

    /// Returns the path as it goes on the wire; slashes stay, everything else that RFC 3986 reserves is encoded.
    pub fn encoded_path(&self) -> String {
        utf8_percent_encode(&self.path, ENCODED_PATH).to_string()
    }

    /// Returns the query as it goes on the wire: `name=value` pairs, empty values included.
    pub fn encoded_query(&self) -> String {
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Returns the whole address, as text.
    pub fn url(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.endpoint, self.encoded_path(), self.encoded_query())
    }

    /// Returns the value of the `Host` header, or `None` when the endpoint has no host.
    pub fn host(&self) -> Option<String> {
        host_of(&self.endpoint.parse().ok()?)
    }

    /// Returns the wire form that a signer completes: address, headers with `Host`, body.
    pub(super) fn to_http(&self) -> Result<http::Request<Bytes>, String> {
        let uri: Uri = self.url().parse().map_err(|_| "the endpoint is no URL".to_owned())?;
        let host = self.host().and_then(|host| HeaderValue::from_str(&host).ok());
        let host = host.ok_or_else(|| "the endpoint has no host".to_owned())?;
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(HOST, host);
        Ok(request)
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Returns what the `Host` header will be: the authority without the scheme's own port.
fn host_of(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let standard = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(match uri.port_u16() {
        Some(port) if port != standard => format!("{host}:{port}"),
        _ => host.to_owned(),
    })
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("action", &format_args!("{} {}", self.cloud, self.action))
            .field("region", &self.region)
            .field("target", &format_args!("{} {}{}", self.method, self.endpoint, self.path))
            .field("idempotency", &self.idempotency)
            .finish_non_exhaustive()
    }
}
