//! The bucket port of Tencent Cloud.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqsign_tencent_cos::Credential;
use sampan_cloud::bucket::{Bucket, BucketRef, BucketStore, Object, ObjectPage, PresignedUrl};
use sampan_cloud::stack::{CredentialCache, SignError};
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Cloud, Reason, SharedClock};

use crate::api::refuse;
use crate::cos::Cos;
use crate::{delete_object, head_bucket, head_object, list_objects, presign};

/// Bucket calls of one account.
#[derive(Debug)]
pub(crate) struct Buckets {
    pub(crate) cos: Cos,
    pub(crate) credentials: Arc<CredentialCache<Credential>>,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl BucketStore for Buckets {
    fn cloud(&self) -> Cloud {
        Cloud::Tencent
    }

    async fn head_bucket(&self, bucket: &BucketRef) -> Result<Option<Bucket>, CallError> {
        head_bucket::head(&self.cos, bucket).await
    }

    async fn head_object(&self, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError> {
        head_object::head(&self.cos, bucket, key).await
    }

    async fn list_objects(
        &self,
        bucket: &BucketRef,
        prefix: &str,
        continuation: Option<&str>,
    ) -> Result<ObjectPage, CallError> {
        list_objects::page(&self.cos, bucket, prefix, continuation).await
    }

    async fn delete_object(&self, bucket: &BucketRef, key: &str) -> Result<(), CallError> {
        delete_object::delete(&self.cos, bucket, key).await
    }

    async fn presign_get(&self, bucket: &BucketRef, key: &str, valid_for: Duration) -> Result<PresignedUrl, CallError> {
        presign::check(valid_for)?;
        let credential = self.credentials.get_for(valid_for).await.map_err(|error| {
            let (class, reason) = match &error {
                SignError::Unavailable(_) => (CallClass::Transient, Reason::CloudUnavailable),
                SignError::Credentials(_) | SignError::Request(_) => {
                    (CallClass::Credentials, Reason::CloudCredentialsRejected)
                }
            };
            CallError { class, ..refuse(presign::NAME, reason, error.to_string()) }
        })?;
        presign::get(&self.cos, bucket, key, valid_for, &credential, self.clock.now())
    }
}
