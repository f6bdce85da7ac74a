//! The bucket port: what the services need of COS and OSS.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Cloud, Region};
use serde::{Deserialize, Serialize};

use crate::error::CallError;

/// A bucket and the region whose endpoint it is asked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRef {
    /// Name, in the form that the cloud wants (`name-APPID` on COS).
    pub name: String,
    /// Region of the endpoint.
    pub region: Region,
}

/// What a cloud tells of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Region that the bucket is in; `None` when the cloud did not tell.
    pub region: Option<String>,
    /// Default storage class, in the vendor's word; `None` when the cloud did not tell.
    pub storage_class: Option<String>,
    /// Whether the server encrypts objects; `None` when the cloud did not tell.
    pub encrypted: Option<bool>,
    /// The vendor's clock when it answered.
    pub server_time: Option<Timestamp>,
}

/// What a cloud tells of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Key.
    pub key: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Entity tag without quotes.
    pub etag: String,
    /// Last change, second precision.
    pub last_modified: Option<Timestamp>,
    /// CRC-64/XZ of the content; `None` when the cloud did not tell.
    pub crc64: Option<u64>,
    /// Storage class in the vendor's word; `None` when the cloud did not tell.
    pub storage_class: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPage {
    /// Objects in key order; CRC-64 is never known here.
    pub objects: Vec<Object>,
    /// What continues the listing; `None` at its end.
    pub next: Option<String>,
}

/// A URL that reads one object without credentials.
///
/// `Debug` hides the query, which holds the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    /// The URL, signature included: a secret until it expires.
    pub url: String,
    /// When it stops working.
    pub expires: Timestamp,
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("PresignedUrl").field("url", &format_args!("{base}?…")).field("expires", &self.expires).finish()
    }
}

/// Bucket calls of one account of one cloud: all are idempotent, so all are retried within the budget.
#[async_trait]
pub trait BucketStore: Send + Sync + fmt::Debug {
    /// Returns the cloud.
    fn cloud(&self) -> Cloud;

    /// Looks a bucket up.
    ///
    /// Returns `None` when no such bucket exists.
    ///
    /// # Errors
    /// Class `Permission` when the account may not look; a bucket of another region that the cloud refuses to
    /// answer for at this endpoint comes as a [`Bucket`] with its region where the cloud tells it.
    async fn head_bucket(&self, bucket: &BucketRef) -> Result<Option<Bucket>, CallError>;

    /// Looks an object up; `None` when it does not exist.
    async fn head_object(&self, bucket: &BucketRef, key: &str) -> Result<Option<Object>, CallError>;

    /// Lists objects whose key begins with `prefix`, from `continuation` on.
    async fn list_objects(
        &self,
        bucket: &BucketRef,
        prefix: &str,
        continuation: Option<&str>,
    ) -> Result<ObjectPage, CallError>;

    /// Removes an object; one that does not exist is no error.
    async fn delete_object(&self, bucket: &BucketRef, key: &str) -> Result<(), CallError>;

    /// Makes a URL that reads `key` for `valid_for` (1 second to 7 days) without credentials. No call is made,
    /// save for credentials that must be fetched first.
    async fn presign_get(&self, bucket: &BucketRef, key: &str, valid_for: Duration) -> Result<PresignedUrl, CallError>;
}
