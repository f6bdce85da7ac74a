//! Decides what browsers may do: gRPC-Web beside gRPC on the same port, for pages of the origins that are named.
//!
//! Both layers are outside of all others, so that these see plain gRPC: what is counted, traced, refused and recorded
//! of a browser's call is the same as of any other. Without [`Web`] the layers are not there.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Uri};
use tonic_web::GrpcWebLayer;
use tower::layer::util::Identity;
use tower::util::{Either, option_layer};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Error;

/// How long a browser may keep the answer to its question whether it may call.
const ANSWER_HOLDS: Duration = Duration::from_secs(600);

/// Headers that a page may send.
const SENT: [HeaderName; 8] = [
    http::header::AUTHORIZATION,
    http::header::CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-user-agent"),
];

/// Headers of an answer that a page may read: a refusal without a body has its status there.
const SHOWN: [HeaderName; 4] = [
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("x-request-id"),
];

/// The browsers that are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Web {
    origins: Vec<HeaderValue>,
}

impl Web {
    /// Serves pages of `origins`, such as `https://console.example`; without any, no page of another origin.
    ///
    /// # Errors
    /// [`Error::Origin`] for what is no origin, `*` included: a page that is not known is not to use the rights of
    /// whoever looks at it.
    pub fn new(origins: &[String]) -> Result<Self, Error> {
        Ok(Self { origins: origins.iter().map(|origin| parse(origin)).collect::<Result<_, _>>()? })
    }

    fn cors(&self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.origins.iter().cloned()))
            .allow_methods([Method::POST])
            .allow_headers(SENT)
            .expose_headers(SHOWN)
            .max_age(ANSWER_HOLDS)
    }
}

/// Browsers compare origins letter by letter, and send them in lower case, without the port that goes without saying.
fn parse(origin: &str) -> Result<HeaderValue, Error> {
    let wrong = || Error::Origin { origin: origin.to_owned() };
    let uri: Uri = origin.parse().map_err(|_| wrong())?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong());
    };
    let host = authority.host().to_ascii_lowercase();
    let port = match (scheme, authority.port_u16()) {
        ("http", Some(80)) | ("https", Some(443)) | (_, None) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    let has_more = origin.matches('/').count() > 2 || authority.as_str().contains('@');
    if has_more { Err(wrong()) } else { HeaderValue::try_from(format!("{scheme}://{host}{port}")).map_err(|_| wrong()) }
}

/// Answers the questions of browsers, outside of everything that asks who calls.
pub(super) fn cors(web: Option<&Web>) -> Either<CorsLayer, Identity> {
    option_layer(web.map(Web::cors))
}

/// Turns gRPC-Web into gRPC, and back.
pub(super) fn grpc_web(web: Option<&Web>) -> Either<GrpcWebLayer, Identity> {
    option_layer(web.map(|_| GrpcWebLayer::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        let kept = |origin: &str| Web::new(&[origin.to_owned()]).map(|web| web.origins);
        for (given, sent) in [
            ("https://Console.Example", "https://console.example"),
            ("https://console.example:443", "https://console.example"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(kept(given).unwrap(), [HeaderValue::from_static(sent)], "{given}");
        }
        let wrong = ["*", "", "null", "console.example", "https://a/", "https://a/b", "ftp://a", "https://u@a"];
        for origin in wrong {
            let refused = kept(origin).unwrap_err().to_string();
            assert!(refused.contains(&format!("`{origin}`")), "{refused}");
        }
    }
}
