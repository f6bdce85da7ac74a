//! `DeleteObject`: removes what an abandoned export left behind.

use http::Method;
use sampan_cloud::CallError;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::stack::Idempotency;

use super::AlibabaBuckets;

impl AlibabaBuckets {
    /// Removes an object; the vendor does not tell whether there was one.
    pub(super) async fn remove_object(&self, bucket: &BucketRef, key: &str) -> Result<(), CallError> {
        let mut request = self.request("DeleteObject", Method::DELETE, bucket, key);
        // A second removal changes nothing, so it can be repeated like a call with a token.
        request.idempotency = Idempotency::Keyed;
        match self.call(request, |_| Ok(())).await {
            Err(error) if error.code.as_deref() == Some("NoSuchKey") => Ok(()),
            other => other,
        }
    }
}
