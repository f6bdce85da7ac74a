//! Addresses that read one object without credentials. No call is made.

use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use reqsign_tencent_cos::Credential;
use sampan_cloud::CallError;
use sampan_cloud::bucket::{BucketRef, PresignedUrl};
use sampan_cloud::stack::encode;
use sampan_core::Reason;

use crate::api::refuse;
use crate::cos::Cos;
use crate::q_sign::{Signable, Times};

pub(crate) const NAME: &str = "PresignGet";
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Refuses lifetimes outside of 1 second to 7 days.
pub(crate) fn check(valid_for: Duration) -> Result<(), CallError> {
    match (Duration::from_secs(1)..=LONGEST).contains(&valid_for) {
        true => Ok(()),
        false => Err(refuse(NAME, Reason::NumberOutOfRange, "an address is valid for 1 second to 7 days")),
    }
}

/// Signs the address of `key` from `now` on; it ends with the credentials if those end earlier.
pub(crate) fn get(
    cos: &Cos,
    bucket: &BucketRef,
    key: &str,
    valid_for: Duration,
    credential: &Credential,
    now: Timestamp,
) -> Result<PresignedUrl, CallError> {
    let mut request = cos.request(NAME, Method::GET, bucket, key);
    let host = request.host().ok_or_else(|| refuse(NAME, Reason::InternalFault, "the endpoint has no host"))?;
    let base = request.url();
    if let Some(token) = &credential.security_token {
        request.query.push(("x-cos-security-token".to_owned(), token.clone()));
    }
    let wanted = SignedDuration::try_from(valid_for).unwrap_or(SignedDuration::ZERO).as_secs();
    let left = credential.expires_in.map_or(wanted, |end| end.as_second() - now.as_second());
    let seconds = wanted.min(left);
    let path = request.encoded_path();
    let signable =
        Signable { method: &Method::GET, path: &path, query: &request.query, headers: &[("host".to_owned(), host)] };
    let signature = signable.query(credential, Times::of_address(now.as_second(), seconds));
    let extra: String =
        request.query.iter().map(|(name, value)| format!("&{}={}", encode(name), encode(value))).collect();
    let expires = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
    Ok(PresignedUrl { url: format!("{base}?{signature}{extra}"), expires })
}
