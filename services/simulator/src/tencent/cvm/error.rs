//! Decides how CVM and CBS say no: a code of the vendor's list and a sentence, in an HTTP 200.

use std::borrow::Cow;

/// A refusal with one of the vendor's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    /// The code, such as `InvalidImageId.NotFound`.
    pub(crate) code: Cow<'static, str>,
    /// A sentence for people.
    pub(crate) message: String,
}

impl ApiError {
    /// Makes a refusal.
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// A required parameter is not there.
    pub(crate) fn missing(name: &str) -> Self {
        Self::new("MissingParameter", format!("parameter {name} is required"))
    }

    /// A parameter has another type than documented.
    pub(crate) fn mistyped(name: &str, wanted: &str) -> Self {
        Self::new("InvalidParameter", format!("parameter {name} must be {wanted}"))
    }

    /// A parameter has a value that is not one of the allowed.
    pub(crate) fn bad_value(name: &str, value: &str, allowed: &str) -> Self {
        Self::new("InvalidParameterValue", format!("{value:?} is not a value of {name}: {allowed}"))
    }
}
