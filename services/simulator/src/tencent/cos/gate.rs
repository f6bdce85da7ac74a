//! Decides who calls COS, and whether the bucket may be seen.

use axum::http::StatusCode;
use axum::http::request::Parts;
use jiff::Timestamp;
use sampan_core::Cloud;

use super::address::Address;
use super::error::CosError;
use crate::tencent::q_sign::{Covered, Signature};
use crate::world::{Account, Bucket, World};

/// Name of the session token, as a header and as a parameter.
const TOKEN: &str = "x-cos-security-token";

/// Identifies the caller.
///
/// # Errors
/// 403 `AccessDenied` (unsigned, unreadable or expired), `RequestTimeTooSkewed`, `InvalidAccessKeyId` or
/// `SignatureDoesNotMatch`.
pub(super) fn authenticate(
    world: &World,
    parts: &Parts,
    address: &Address,
    query: &[(String, String)],
) -> Result<Account, CosError> {
    let covered = Covered { method: parts.method.as_str(), path: &address.signed_path, query, headers: &parts.headers };
    let signature = match Signature::of(covered) {
        Some(Ok(signature)) => signature,
        Some(Err(())) => return Err(CosError::access_denied("the signature cannot be read")),
        None => return Err(CosError::access_denied("the request is not signed")),
    };
    let account = world.account_by_key(Cloud::Tencent, &signature.secret_id).ok_or_else(unknown_key)?;
    check_window(signature.valid, world.auth_now())?;
    if !signature.matches(&account.secret_key, covered) {
        let text = "the signature does not match the request, check the key and what is signed";
        return Err(CosError::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", text));
    }
    let sent = parts.headers.get(TOKEN).and_then(|value| value.to_str().ok());
    let sent = sent.or_else(|| query.iter().find(|(name, _)| name == TOKEN).map(|(_, value)| value.as_str()));
    if account.token.as_deref() != sent.filter(|token| !token.is_empty()) {
        return Err(unknown_key());
    }
    Ok(account)
}

/// Finds the bucket of the request.
///
/// # Errors
/// 404 `NoSuchBucket` when it is not there or not in the region that the host names, 403 `AccessDenied` when it is
/// another account's.
pub(super) fn open_bucket(world: &World, account: &Account, address: &Address) -> Result<Bucket, CosError> {
    let absent = || CosError::new(StatusCode::NOT_FOUND, "NoSuchBucket", "there is no such bucket in the region");
    let bucket = world.bucket(Cloud::Tencent, &address.bucket).ok_or_else(absent)?;
    if address.region.as_ref().is_some_and(|region| *region != bucket.region) {
        return Err(absent());
    }
    if bucket.account != account.id {
        return Err(CosError::access_denied("the bucket belongs to another account"));
    }
    Ok(bucket)
}

fn check_window((start, end): (i64, i64), now: Timestamp) -> Result<(), CosError> {
    let now = now.as_second();
    if now > end {
        return Err(CosError::access_denied("Request has expired"));
    }
    if now < start {
        let text = "the signature is not valid yet, check the clock";
        return Err(CosError::new(StatusCode::FORBIDDEN, "RequestTimeTooSkewed", text));
    }
    Ok(())
}

fn unknown_key() -> CosError {
    CosError::new(StatusCode::FORBIDDEN, "InvalidAccessKeyId", "no key has this id, or its token is another")
}

#[cfg(test)]
mod tests {
    use super::check_window;

    #[test]
    fn a_signature_holds_from_its_first_to_its_last_second() {
        let now = "2023-11-14T22:13:20Z".parse().expect("a time");
        let seconds = 1_700_000_000;
        check_window((seconds, seconds), now).expect("this very second");
        let expired = check_window((seconds - 60, seconds - 1), now).expect_err("over");
        assert_eq!((expired.code, expired.status.as_u16()), ("AccessDenied", 403));
        let early = check_window((seconds + 1, seconds + 60), now).expect_err("not yet");
        assert_eq!(early.code, "RequestTimeTooSkewed");
    }
}
