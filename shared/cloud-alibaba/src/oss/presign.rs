//! Signed URLs of objects; no call is made, save for credentials that must be fetched first.

use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use sampan_cloud::bucket::{BucketRef, PresignedUrl};
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Cloud, Reason};

use super::AlibabaBuckets;
use crate::oss4::{self, Resource};

/// Longest time that the vendor signs a URL for.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Shortest time; the vendor counts in seconds.
const SHORTEST: Duration = Duration::from_secs(1);

impl AlibabaBuckets {
    /// Signs a URL that reads `key`. It ends with the credentials, if these end earlier.
    pub(super) async fn presign(
        &self,
        bucket: &BucketRef,
        key: &str,
        valid_for: Duration,
    ) -> Result<PresignedUrl, CallError> {
        let valid_for = Duration::from_secs(valid_for.clamp(SHORTEST, LONGEST).as_secs());
        let keys = self.pen.credentials.get_for(valid_for).await.map_err(|error| refused(error.to_string()))?;
        let now = self.pen.clock.now();
        let resource = Resource { bucket: bucket.name.clone(), key: key.to_owned(), region: bucket.region.to_string() };
        let mut request = self.request("GetObject", Method::GET, bucket, key);
        request.query = oss4::presign(&Method::GET, &resource, &keys, now, valid_for);
        let end = SignedDuration::try_from(valid_for).ok().and_then(|span| now.checked_add(span).ok()).unwrap_or(now);
        let keys_end =
            keys.expires_in.and_then(|end| jiff::Timestamp::from_second(end.as_second()).ok()).unwrap_or(end);
        Ok(PresignedUrl { url: request.url(), expires: end.min(keys_end) })
    }
}

fn refused(message: String) -> CallError {
    CallError {
        cloud: Cloud::Alibaba,
        action: "GetObject",
        class: CallClass::Credentials,
        reason: Reason::CloudCredentialsRejected,
        code: None,
        message,
        request_id: None,
        http_status: None,
        retry_after: None,
        attempts: 0,
    }
}
