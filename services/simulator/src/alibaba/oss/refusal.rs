//! Decides what a refused request to OSS looks like.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, StatusCode};

use super::xml::Document;

/// One refusal in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// The vendor's code.
    pub(super) code: &'static str,
    /// Text for people.
    pub(super) message: String,
    /// Finer code of the vendor, where it is known.
    pub(super) ec: Option<&'static str>,
    /// Further elements of the document.
    extra: Vec<(&'static str, String)>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), ec: None, extra: Vec::new() }
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(super) fn invalid_argument(name: &str, value: &str) -> Self {
        Self::bad_request("InvalidArgument", format!("The argument {name} is not valid."))
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    pub(super) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.")
            .with("BucketName", bucket)
    }

    pub(super) fn no_such_key(key: &str) -> Self {
        let refusal = Self::new(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
        Self { ec: Some("0026-00000001"), ..refusal }.with("Key", key)
    }

    pub(super) fn not_allowed(method: &Method) -> Self {
        let message = "The specified method is not allowed against this resource.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with("Method", method.as_str())
    }

    pub(super) fn not_implemented() -> Self {
        let message = "A header you provided implies functionality that is not implemented.";
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn not_modified() -> Self {
        Self::new(StatusCode::NOT_MODIFIED, "NotModified", "The object was not modified.")
    }

    pub(super) fn precondition(condition: &str) -> Self {
        let message = "At least one of the pre-conditions you specified did not hold.";
        Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message).with("Condition", condition)
    }

    pub(super) fn range(size: u64, range: &str) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "The requested range cannot be satisfied.")
            .with("ActualObjectSize", size.to_string())
            .with("RangeRequested", range)
    }

    pub(super) fn throttled() -> Self {
        let message = "The download traffic has exceeded its limit; please reduce your request rate.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "DownloadTrafficRateLimitExceeded", message)
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Please contact the server administrator.")
    }

    /// Adds an element between `HostId` and `EC`.
    pub(super) fn with(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.extra.push((name, text.into()));
        self
    }

    /// The document of a body.
    pub(super) fn document(&self, request_id: &str, host: &str) -> String {
        let mut document = Document::new("Error")
            .text("Code", self.code)
            .text("Message", &self.message)
            .text("RequestId", request_id)
            .text("HostId", host);
        for (name, text) in &self.extra {
            document = document.text(name, text);
        }
        if let Some(ec) = self.ec {
            document =
                document.text("EC", ec).text("RecommendDoc", format!("https://api.aliyun.com/troubleshoot?q={ec}"));
        }
        document.finish()
    }
}

/// The document as the header of a HEAD carries it.
pub(super) fn in_header(document: &str) -> String {
    BASE64_STANDARD.encode(document)
}
