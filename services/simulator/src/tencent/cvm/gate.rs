//! Decides who calls, and whether the call may go on to its action: signature, clock, token, product, version,
//! region.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use jiff::Timestamp;
use sampan_core::Cloud;

use super::error::ApiError;
use crate::tencent::tc3::{Authorization, Covered};
use crate::world::{self, Account, World};

/// Most seconds between the caller's clock and the cloud's.
const CLOCK_WINDOW_SECONDS: u64 = 300;
/// API version of both products.
const VERSION: &str = "2017-03-12";

/// A product behind the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    /// Machines and images.
    Cvm,
    /// Disks and snapshots.
    Cbs,
}

/// A caller who proved who it is, and what it wants.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The account.
    pub(super) account: Account,
    /// The product that the call was signed for.
    pub(super) product: Product,
    /// Region of the call.
    pub(super) region: String,
}

/// Identifies the caller.
///
/// # Errors
/// The `AuthFailure` family, `UnsupportedProtocol`, `MissingParameter` or `NoSuchProduct`.
pub(super) fn authenticate(world: &World, parts: &Parts, body: &[u8]) -> Result<(Account, Product), ApiError> {
    if parts.method != Method::GET && parts.method != Method::POST {
        return Err(ApiError::new("UnsupportedProtocol", "only GET and POST are served"));
    }
    let query = parts.uri.query().unwrap_or_default();
    let authorization = match header(&parts.headers, "authorization") {
        Some(text) => Authorization::parse(text).ok_or_else(|| {
            ApiError::new("AuthFailure.InvalidAuthorization", "the Authorization header is malformed")
        })?,
        None if is_old_signature(parts, body) => {
            return Err(signature_failure(
                "HmacSHA1 and HmacSHA256 signatures are not served, sign with TC3-HMAC-SHA256",
            ));
        }
        None => {
            return Err(ApiError::new("AuthFailure.InvalidAuthorization", "there is no Authorization header"));
        }
    };
    let timestamp = header(&parts.headers, "x-tc-timestamp").ok_or_else(|| ApiError::missing("X-TC-Timestamp"))?;
    check_clock(timestamp, &authorization.date, world.auth_now())?;
    let account = world
        .account_by_key(Cloud::Tencent, &authorization.secret_id)
        .ok_or_else(|| ApiError::new("AuthFailure.SecretIdNotFound", "no key has this SecretId"))?;
    let covered = Covered { method: parts.method.as_str(), query, headers: &parts.headers, body };
    if !authorization.matches(&account.secret_key, timestamp, covered) {
        return Err(signature_failure("the signature does not match the request, check the SecretKey"));
    }
    check_token(account.token.as_deref(), header(&parts.headers, "x-tc-token"))?;
    let product = match authorization.service.as_str() {
        "cvm" => Product::Cvm,
        "cbs" => Product::Cbs,
        other => {
            return Err(ApiError::new("NoSuchProduct", format!("there is no product {other:?} here")));
        }
    };
    Ok((account, product))
}

/// Checks version and region, and completes the caller.
///
/// # Errors
/// `MissingParameter`, `NoSuchVersion` or `UnsupportedRegion`.
pub(super) fn locate(headers: &HeaderMap, (account, product): (Account, Product)) -> Result<Caller, ApiError> {
    match header(headers, "x-tc-version") {
        Some(VERSION) => {}
        Some(other) => return Err(ApiError::new("NoSuchVersion", format!("there is no version {other:?}"))),
        None => return Err(ApiError::missing("X-TC-Version")),
    }
    let region = header(headers, "x-tc-region").filter(|region| !region.is_empty());
    let region = region.ok_or_else(|| ApiError::missing("X-TC-Region"))?;
    if !world::is_region(Cloud::Tencent, region) {
        return Err(ApiError::new("UnsupportedRegion", format!("the action is not served in {region:?}")));
    }
    Ok(Caller { account, product, region: region.to_owned() })
}

/// Returns a header that is text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn check_clock(timestamp: &str, date: &str, now: Timestamp) -> Result<(), ApiError> {
    let malformed = || ApiError::new("InvalidParameter", "X-TC-Timestamp must be unix seconds");
    let seconds: i64 = timestamp.parse().map_err(|_| malformed())?;
    let at = Timestamp::from_second(seconds).map_err(|_| malformed())?;
    if at.as_second().abs_diff(now.as_second()) > CLOCK_WINDOW_SECONDS {
        let text = format!("X-TC-Timestamp is {at}, the cloud's clock says {now}: more than 5 minutes apart");
        return Err(ApiError::new("AuthFailure.SignatureExpire", text));
    }
    if at.strftime("%Y-%m-%d").to_string() != date {
        return Err(signature_failure("the date of the credential scope is not that of X-TC-Timestamp"));
    }
    Ok(())
}

fn check_token(wanted: Option<&str>, sent: Option<&str>) -> Result<(), ApiError> {
    if wanted == sent.filter(|token| !token.is_empty()) {
        return Ok(());
    }
    Err(ApiError::new("AuthFailure.TokenFailure", "the session token does not belong to the key"))
}

fn signature_failure(message: &str) -> ApiError {
    ApiError::new("AuthFailure.SignatureFailure", message)
}

/// Tells whether the request is signed the old way, with everything among its parameters.
fn is_old_signature(parts: &Parts, body: &[u8]) -> bool {
    let has_signature = |text: &[u8]| {
        text.split(|byte| *byte == b'&')
            .any(|pair| pair.starts_with(b"Signature=") || pair.starts_with(b"SignatureMethod="))
    };
    has_signature(parts.uri.query().unwrap_or_default().as_bytes()) || has_signature(body)
}

#[cfg(test)]
mod tests {
    use super::{check_clock, check_token};

    fn code(result: Result<(), super::ApiError>) -> String {
        result.expect_err("refused").code.into_owned()
    }

    #[test]
    fn five_minutes_to_either_side_are_tolerated_and_not_a_second_more() {
        let now = "2023-11-14T22:13:20Z".parse().expect("a time");
        for timestamp in ["1699999700", "1700000000", "1700000300"] {
            check_clock(timestamp, "2023-11-14", now).expect("within the window");
        }
        for timestamp in ["1699999699", "1700000301"] {
            assert_eq!(code(check_clock(timestamp, "2023-11-14", now)), "AuthFailure.SignatureExpire");
        }
    }

    #[test]
    fn the_scope_must_be_of_the_same_day() {
        let now = "2023-11-14T22:13:20Z".parse().expect("a time");
        assert_eq!(code(check_clock("1700000000", "2023-11-15", now)), "AuthFailure.SignatureFailure");
        assert_eq!(code(check_clock("yesterday", "2023-11-14", now)), "InvalidParameter");
    }

    #[test]
    fn a_token_must_come_with_its_key_and_with_no_other() {
        check_token(None, None).expect("no token wanted");
        check_token(None, Some("")).expect("an empty one is none");
        check_token(Some("t"), Some("t")).expect("the right one");
        for (wanted, sent) in [(None, Some("t")), (Some("t"), None), (Some("t"), Some("u"))] {
            assert_eq!(code(check_token(wanted, sent)), "AuthFailure.TokenFailure");
        }
    }
}
