//! Decides whose request it is, and whether the bucket is theirs and where they think it is.

use jiff::{SignedDuration, Timestamp};
use sampan_core::Cloud;

use super::refusal::Refusal;
use super::request::Arrived;
use super::signature::{ALGORITHM, Credential, Signable, V1, V4};
use super::time;
use crate::world::{Account, Bucket, World};

/// How far a request's time may be from the server's.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Longest life of a presigned URL with a V4 signature: 7 days.
const MAX_EXPIRES_SECONDS: i64 = 604_800;

/// Who sent a request, and to which region.
pub(super) struct Caller {
    pub(super) account: Account,
    /// Region of host or signature; V1 at an address names none.
    pub(super) region: Option<String>,
}

/// Finds the account that signed the request.
pub(super) fn identify(world: &World, arrived: &Arrived) -> Result<Caller, Refusal> {
    let authorization = arrived.header("authorization").unwrap_or_default();
    if let Some(parts) = authorization.strip_prefix(ALGORITHM) {
        v4_header(world, arrived, parts)
    } else if let Some(parts) = authorization.strip_prefix("OSS ") {
        v1_header(world, arrived, parts)
    } else if arrived.parameter("x-oss-signature-version") == Some(ALGORITHM) {
        v4_query(world, arrived)
    } else if arrived.parameter("OSSAccessKeyId").is_some() {
        v1_query(world, arrived)
    } else if authorization.is_empty() {
        Err(Refusal::forbidden("AccessDenied", "Anonymous access is forbidden for this operation."))
    } else {
        Err(Refusal::bad_request("InvalidArgument", "The authorization header is invalid."))
    }
}

/// Finds the bucket and checks its owner and its region.
pub(super) fn open_bucket(world: &World, arrived: &Arrived, caller: &Caller) -> Result<Bucket, Refusal> {
    let Some(name) = &arrived.target.bucket else {
        return Err(Refusal::not_allowed(&arrived.method));
    };
    if !is_bucket_name(name) {
        return Err(
            Refusal::bad_request("InvalidBucketName", "The specified bucket is not valid.").with("BucketName", name)
        );
    }
    let bucket = world.bucket(Cloud::Alibaba, name).ok_or_else(|| Refusal::no_such_bucket(name))?;
    if bucket.account != caller.account.id {
        return Err(Refusal::forbidden("AccessDenied", "The bucket you visit is not belong to you."));
    }
    let is_elsewhere = caller.region.as_ref().is_some_and(|region| *region != bucket.region);
    if is_elsewhere && !arrived.operation.is_regionless() {
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
        return Err(Refusal::forbidden("AccessDenied", message)
            .with("Bucket", name)
            .with("Endpoint", format!("oss-{}.aliyuncs.com", bucket.region)));
    }
    Ok(bucket)
}

/// 3 to 63 lower-case letters, digits and hyphens, a letter or digit at both ends.
fn is_bucket_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&name.len()) && name.bytes().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}

impl Arrived {
    fn signable(&self) -> Signable<'_> {
        Signable {
            method: self.method.as_str(),
            bucket: self.target.bucket.as_deref(),
            key: &self.target.key,
            query: &self.query,
            headers: &self.headers,
        }
    }
}

fn v1_header(world: &World, arrived: &Arrived, parts: &str) -> Result<Caller, Refusal> {
    let (access_key_id, signature) = parts
        .trim()
        .split_once(':')
        .ok_or_else(|| Refusal::bad_request("InvalidArgument", "The authorization header is invalid."))?;
    let account = account_of(world, access_key_id)?;
    let date = arrived.header("x-oss-date").or_else(|| arrived.header("date")).unwrap_or_default();
    check_skew(time::parse_http(&date).or_else(|| time::parse_basic(&date)), world.auth_now())?;
    let v1 = V1 { request: arrived.signable(), date: &date };
    check_signature(&v1.signature(&account.secret_key), signature, access_key_id, &v1.string_to_sign())?;
    // One of the official clients sends the token under the second name, unsigned, when it signs by V1.
    check_token(&account, arrived.header("x-oss-security-token").or_else(|| arrived.header("security-token")))?;
    Ok(Caller { account, region: arrived.target.region.clone() })
}

fn v1_query(world: &World, arrived: &Arrived) -> Result<Caller, Refusal> {
    let text = |name| arrived.parameter(name).unwrap_or_default();
    let (access_key_id, expires) = (text("OSSAccessKeyId"), text("Expires"));
    let account = account_of(world, access_key_id)?;
    let until = expires.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    check_expiry(until.ok_or_else(|| Refusal::invalid_argument("Expires", expires))?, world.auth_now())?;
    let v1 = V1 { request: arrived.signable(), date: expires };
    check_signature(&v1.signature(&account.secret_key), text("Signature"), access_key_id, &v1.string_to_sign())?;
    check_token(&account, arrived.parameter("security-token").map(str::to_owned))?;
    Ok(Caller { account, region: arrived.target.region.clone() })
}

fn v4_header(world: &World, arrived: &Arrived, parts: &str) -> Result<Caller, Refusal> {
    // Official clients put a comma, or a comma and a space, between the parts.
    let part = |name: &str| {
        parts
            .split(',')
            .filter_map(|item| item.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let invalid = || Refusal::bad_request("InvalidArgument", "The authorization header is invalid.");
    let credential = part("Credential").and_then(Credential::parse).ok_or_else(invalid)?;
    let signature = part("Signature").ok_or_else(invalid)?;
    let additional_headers = split_headers(part("AdditionalHeaders"));
    let account = account_of(world, credential.access_key_id)?;
    let timestamp = arrived.header("x-oss-date").unwrap_or_default();
    check_skew(time::parse_basic(&timestamp), world.auth_now())?;
    let v4 =
        V4 { request: arrived.signable(), credential, timestamp: &timestamp, additional_headers: &additional_headers };
    check_v4(&v4, signature, &account)?;
    check_token(&account, arrived.header("x-oss-security-token"))?;
    Ok(Caller { account, region: region_of(arrived, &credential) })
}

fn v4_query(world: &World, arrived: &Arrived) -> Result<Caller, Refusal> {
    let text = |name| arrived.parameter(name).unwrap_or_default();
    let (timestamp, expires) = (text("x-oss-date"), text("x-oss-expires"));
    let invalid = |name| Refusal::invalid_argument(name, text(name));
    let credential = Credential::parse(text("x-oss-credential")).ok_or_else(|| invalid("x-oss-credential"))?;
    let account = account_of(world, credential.access_key_id)?;
    let signed_at = time::parse_basic(timestamp).ok_or_else(|| invalid("x-oss-date"))?;
    let seconds: i64 = expires.parse().map_err(|_| invalid("x-oss-expires"))?;
    if !(1..=MAX_EXPIRES_SECONDS).contains(&seconds) {
        return Err(invalid("x-oss-expires"));
    }
    if signed_at.duration_since(world.auth_now()) > WINDOW {
        return Err(Refusal::forbidden("AccessDenied", "Request is not valid yet."));
    }
    check_expiry(signed_at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(signed_at), world.auth_now())?;
    let additional_headers = split_headers(arrived.parameter("x-oss-additional-headers"));
    let v4 = V4 { request: arrived.signable(), credential, timestamp, additional_headers: &additional_headers };
    check_v4(&v4, text("x-oss-signature"), &account)?;
    check_token(&account, arrived.parameter("x-oss-security-token").map(str::to_owned))?;
    Ok(Caller { account, region: region_of(arrived, &credential) })
}

fn split_headers(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default().split(';').filter(|name| !name.is_empty()).map(str::to_lowercase).collect()
}

fn region_of(arrived: &Arrived, credential: &Credential<'_>) -> Option<String> {
    arrived.target.region.clone().or_else(|| Some(credential.region.to_owned()))
}

fn account_of(world: &World, access_key_id: &str) -> Result<Account, Refusal> {
    world.account_by_key(Cloud::Alibaba, access_key_id).ok_or_else(|| {
        Refusal::forbidden("InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
            .with("OSSAccessKeyId", access_key_id)
    })
}

fn check_skew(signed_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    let signed_at =
        signed_at.ok_or_else(|| Refusal::forbidden("AccessDenied", "OSS authentication requires a valid Date."))?;
    if now.duration_since(signed_at).abs() > WINDOW {
        let message = "The difference between the request time and the current time is too large.";
        return Err(Refusal::forbidden("RequestTimeTooSkewed", message)
            .with("MaxAllowedSkewMilliseconds", "900000")
            .with("RequestTime", time::to_iso(signed_at))
            .with("ServerTime", time::to_iso(now)));
    }
    Ok(())
}

fn check_expiry(until: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if until < now {
        return Err(Refusal::forbidden("AccessDenied", "Request has expired.")
            .with("Expires", time::to_iso(until))
            .with("ServerTime", time::to_iso(now)));
    }
    Ok(())
}

fn check_v4(v4: &V4<'_>, signature: &str, account: &Account) -> Result<(), Refusal> {
    if !v4.timestamp.starts_with(v4.credential.date) || v4.credential.product != "oss" {
        return Err(Refusal::bad_request("InvalidArgument", "The scope of the credential is invalid."));
    }
    let checked =
        check_signature(&v4.signature(&account.secret_key), signature, &account.secret_id, &v4.string_to_sign());
    checked.map_err(|refusal| refusal.with("CanonicalRequest", v4.canonical_request()))
}

fn check_signature(expected: &str, sent: &str, access_key_id: &str, string_to_sign: &str) -> Result<(), Refusal> {
    if expected == sent {
        return Ok(());
    }
    let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    Err(Refusal::forbidden("SignatureDoesNotMatch", message)
        .with("OSSAccessKeyId", access_key_id)
        .with("SignatureProvided", sent)
        .with("StringToSign", string_to_sign))
}

fn check_token(account: &Account, sent: Option<String>) -> Result<(), Refusal> {
    match (&account.token, sent) {
        (None, None) => Ok(()),
        (Some(wanted), Some(sent)) if *wanted == sent => Ok(()),
        // A temporary key without its token is unknown to OSS.
        (Some(_), None) => Err(Refusal::forbidden(
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
        )),
        (_, Some(_)) => Err(Refusal::forbidden("InvalidSecurityToken", "The security token you provided is invalid.")),
    }
}
