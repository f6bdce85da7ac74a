//! Decides what a refused ECS call looks like to its caller before it is put into an envelope.

use std::borrow::Cow;

use http::StatusCode;

/// One refusal in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status; differs between editions of the vendor's pages, so clients go by the code.
    pub(super) status: StatusCode,
    /// The vendor's code, misspelt where the vendor misspells it.
    pub(super) code: Cow<'static, str>,
    /// Text for people.
    pub(super) message: String,
    /// Seconds of the header `x-acs-retry-after`, which throttled calls get.
    pub(super) retry_after_seconds: Option<u32>,
}

impl Refusal {
    fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), retry_after_seconds: None }
    }

    /// Refuses with HTTP 400.
    pub(super) fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Refuses with HTTP 403.
    pub(super) fn forbidden(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// Refuses with HTTP 404, which the vendor also uses for filter values that do not exist.
    pub(super) fn not_found(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// Refuses because `name` is absent.
    pub(super) fn missing(name: &str) -> Self {
        let message =
            format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied.");
        Self::bad_request("MissingParameter", message)
    }

    /// Refuses because `name` has a value that it cannot have.
    pub(super) fn invalid(name: &str) -> Self {
        Self::bad_request("InvalidParameter", format!("The specified parameter \"{name}\" is not valid."))
    }

    /// Answers a check that found nothing wrong; the vendor reports it as an error.
    pub(super) fn dry_run() -> Self {
        Self::bad_request("DryRunOperation", "Request validation has been passed with DryRun flag set.")
    }

    /// Refuses because of the caller's pace, with a hint when to come back.
    pub(super) fn throttled(retry_after_seconds: u32) -> Self {
        let message = "Request was denied due to user flow control.";
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::bad_request("Throttling.User", message) }
    }

    /// Fails without the caller's fault.
    pub(super) fn internal() -> Self {
        let message = "The request processing has failed due to some unknown error, exception or failure.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }
}
