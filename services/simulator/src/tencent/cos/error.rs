//! Decides how COS says no: an HTTP status and an XML document, and on HEAD the status alone.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

/// A refusal with one of the vendor's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CosError {
    /// HTTP status that belongs to the code.
    pub(crate) status: StatusCode,
    /// The code, such as `NoSuchKey`.
    pub(crate) code: &'static str,
    /// A sentence for people, never empty: clients drop the whole document otherwise.
    pub(crate) message: String,
}

impl CosError {
    /// Makes a refusal.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A parameter or header has a wrong value.
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    /// The caller may not do it.
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    /// Answers with it; a HEAD gets no body.
    pub(crate) fn answer(&self, method: &Method, resource: &str, request_id: &str) -> Response<Body> {
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(self.document(resource, request_id)) };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        if method != Method::HEAD {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        response
    }

    fn document(&self, resource: &str, request_id: &str) -> String {
        let resource = if resource.is_empty() { "/" } else { resource };
        format!(
            "<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n\t<Code>{}</Code>\n\t<Message>{}</Message>\n\t<Resource>{}</Resource>\n\t<RequestId>{request_id}</RequestId>\n\t<TraceId>{}</TraceId>\n</Error>\n\n",
            self.code,
            escape(&self.message),
            escape(resource),
            // Only has to be there; the vendor's own is an opaque base64 text.
            request_id,
        )
    }
}

/// Escapes a text for XML; characters that XML 1.0 cannot hold become spaces.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            control if control < ' ' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{CosError, escape};

    #[test]
    fn every_part_of_the_document_is_filled() {
        let document = CosError::access_denied("no <right>").document("", "NjE=");
        for part in ["<Code>AccessDenied</Code>", "<Message>no &lt;right&gt;</Message>", "<Resource>/</Resource>"] {
            assert!(document.contains(part), "{document}");
        }
        assert!(document.contains("<RequestId>NjE=</RequestId>"));
    }

    #[test]
    fn characters_that_xml_cannot_hold_do_not_reach_it() {
        assert_eq!(escape("a\u{1}&\"b"), "a &amp;&quot;b");
    }
}
