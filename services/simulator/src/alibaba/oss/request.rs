//! Decides what a request to OSS asks for.

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use http::{HeaderMap, Method};
use sampan_core::Cloud;

use super::target::Target;
use crate::alibaba::acs3::header_text;
use crate::alibaba::percent::{Pairs, decode_query};
use crate::world::Call;

/// Largest object that can be written, because it is held in memory.
const LARGEST_OBJECT_BYTES: usize = 64 << 20;

/// One request as it arrived, decoded.
pub(super) struct Arrived {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) query: Pairs,
    pub(super) target: Target,
    pub(super) operation: Operation,
    /// Bytes of an object to be written; `None` when they are too many or did not all arrive.
    pub(super) body: Option<Bytes>,
}

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    BucketInfo,
    BucketLocation,
    HeadBucket,
    ListObjects,
    HeadObject,
    GetObject,
    PutObject,
    DeleteObject,
    /// Something that the simulator lacks.
    Unknown,
}

impl Operation {
    fn of(method: &Method, is_of_object: bool, query: &[(String, String)]) -> Self {
        let has = |names: &[&str]| query.iter().any(|(name, _)| names.contains(&name.as_str()));
        match (method, is_of_object) {
            (&Method::HEAD, true) => Self::HeadObject,
            (&Method::HEAD, false) => Self::HeadBucket,
            (&Method::GET, false) if has(&["bucketInfo"]) => Self::BucketInfo,
            (&Method::GET, false) if has(&["location"]) => Self::BucketLocation,
            (&Method::GET, false) if !has(&["acl", "uploads", "policy", "encryption", "lifecycle", "tagging"]) => {
                Self::ListObjects
            }
            (_, true) if has(&["acl", "tagging", "uploadId", "symlink", "append"]) => Self::Unknown,
            (&Method::GET, true) => Self::GetObject,
            (&Method::PUT, true) => Self::PutObject,
            (&Method::DELETE, true) => Self::DeleteObject,
            _ => Self::Unknown,
        }
    }

    /// Name in audit and faults; looking at a bucket has one name for both clouds.
    fn action(self, method: &Method) -> String {
        let name = match self {
            Self::BucketInfo | Self::BucketLocation | Self::HeadBucket => "HeadBucket",
            Self::ListObjects => "ListObjects",
            Self::HeadObject => "HeadObject",
            Self::GetObject => "GetObject",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
            Self::Unknown => method.as_str(),
        };
        name.to_owned()
    }

    /// May be asked at any endpoint, whatever the bucket's region.
    pub(super) fn is_regionless(self) -> bool {
        matches!(self, Self::BucketInfo | Self::BucketLocation)
    }
}

impl Arrived {
    pub(super) async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let target = Target::read(&header_text(&parts.headers, "host"), parts.uri.path());
        let query = decode_query(parts.uri.query().unwrap_or_default());
        let operation = Operation::of(&parts.method, !target.key.is_empty(), &query);
        let body = match operation {
            Operation::PutObject => to_bytes(body, LARGEST_OBJECT_BYTES).await.ok(),
            _ => None,
        };
        Self { method: parts.method, headers: parts.headers, query, target, operation, body }
    }

    /// Value of the first parameter of that name; empty when it has none.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Text of a header, when it is there and not empty.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        Some(header_text(&self.headers, name)).filter(|text| !text.is_empty())
    }

    /// The audit line, as far as it is known before the caller is.
    pub(super) fn call(&self, request_id: &str) -> Call {
        let mut call = Call::new(Cloud::Alibaba, self.operation.action(&self.method), request_id);
        call.bucket.clone_from(&self.target.bucket);
        call.key = Some(self.target.key.clone()).filter(|key| !key.is_empty());
        call.mutating = matches!(self.operation, Operation::PutObject | Operation::DeleteObject);
        call
    }
}
