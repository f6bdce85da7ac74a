//! DELETE of an object.

use http::Method;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::stack::{ApiRequest, Idempotency};
use sampan_cloud::{CallClass, CallError};
use sampan_core::Reason;

use crate::cos::Cos;

/// Removes `key`; one that does not exist is no error, one whose bucket does not exist is.
pub(crate) async fn delete(cos: &Cos, bucket: &BucketRef, key: &str) -> Result<(), CallError> {
    let request = cos.request("DeleteObject", Method::DELETE, bucket, key);
    match cos.stack.send(ApiRequest { idempotency: Idempotency::Keyed, ..request }).await {
        Ok(_) => Ok(()),
        Err(error) if error.class == CallClass::NotFound && error.reason != Reason::BucketNotFound => Ok(()),
        Err(error) => Err(error),
    }
}
