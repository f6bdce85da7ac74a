//! Names who makes a call. Set by the layer that authenticates; without one all callers are the same nobody.

use http::Extensions;

/// Identity of the caller, in the extensions of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller(pub String);

impl Caller {
    /// Returns the identity in `extensions`; empty when callers are not told apart.
    pub fn of(extensions: &Extensions) -> String {
        extensions.get::<Self>().map(|caller| caller.0.clone()).unwrap_or_default()
    }
}
