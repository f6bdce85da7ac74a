//! Decides what a bucket and an object are to the simulator.

use jiff::Timestamp;
use sampan_core::Cloud;
use serde::Serialize;

use crate::content::Content;

/// One bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The cloud that holds it.
    pub cloud: Cloud,
    /// The account that owns it.
    pub account: String,
    /// Region code of the image service (`cn-hangzhou`, not `oss-cn-hangzhou`).
    pub region: String,
    /// Full name; on Tencent it ends in `-` and the APPID.
    pub name: String,
    /// False when the image service's role may not write to it.
    pub writable: bool,
    /// True when it encrypts on the server's side.
    pub encrypted: bool,
    /// Storage class of new objects, in the vendor's word (`STANDARD`, `Standard`, `IA` …).
    pub storage_class: String,
    /// Time of creation, on the world's clock.
    pub created_at: Timestamp,
}

/// One object of a bucket, complete and readable.
#[derive(Debug, Clone, Serialize)]
pub struct Object {
    /// The cloud of its bucket.
    pub cloud: Cloud,
    /// Name of its bucket.
    pub bucket: String,
    /// Key, without a leading slash.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// Entity tag without quotes: 32 hex digits, `-`, number of parts.
    pub etag: String,
    /// CRC-64/XZ of the whole object, as `x-cos-hash-crc64ecma` and `x-oss-hash-crc64ecma` tell it.
    #[serde(serialize_with = "as_text")]
    pub crc64: u64,
    /// Time at which it appeared, on the world's clock.
    pub last_modified: Timestamp,
    /// Storage class, in the vendor's word.
    pub storage_class: String,
    /// True when it was written in parts, as exports are.
    pub multipart: bool,
    /// The bytes.
    #[serde(skip)]
    pub content: Content,
}

// JSON numbers lose digits above 2^53 in many readers.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_text<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
