//! GetBucketInfo, GetBucketLocation and HEAD of a bucket.

use axum::body::Body;
use http::{HeaderValue, Response};

use super::xml::Document;
use super::{Context, time, xml_answer};

/// Everything about a bucket; may be asked at any endpoint.
pub(super) fn info(context: &Context<'_>) -> Response<Body> {
    let bucket = context.bucket;
    let document = Document::new("BucketInfo").nested("Bucket", |document| {
        document
            .text("AccessMonitor", "Disabled")
            .text("CreationDate", time::to_iso(bucket.created_at))
            .text("ExtranetEndpoint", format!("oss-{}.aliyuncs.com", bucket.region))
            .text("IntranetEndpoint", format!("oss-{}-internal.aliyuncs.com", bucket.region))
            .text("Location", format!("oss-{}", bucket.region))
            .text("StorageClass", &bucket.storage_class)
            .text("TransferAcceleration", "Disabled")
            .text("CrossRegionReplication", "Disabled")
            .text("DataRedundancyType", "LRS")
            .text("Name", &bucket.name)
            .text("ResourceGroupId", "")
            .nested("Owner", |owner| owner.text("DisplayName", &bucket.account).text("ID", &bucket.account))
            .nested("AccessControlList", |list| list.text("Grant", "private"))
            .nested("ServerSideEncryptionRule", |rule| {
                rule.text("SSEAlgorithm", if bucket.encrypted { "AES256" } else { "None" })
            })
            .nested("BucketPolicy", |policy| policy.text("LogBucket", "").text("LogPrefix", ""))
    });
    xml_answer(document.finish())
}

/// The region with the word `oss-` before it.
pub(super) fn location(context: &Context<'_>) -> Response<Body> {
    let region = &context.bucket.region;
    xml_answer(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint>oss-{region}</LocationConstraint>"
    ))
}

pub(super) fn head(context: &Context<'_>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    if let Ok(region) = HeaderValue::from_str(&context.bucket.region) {
        response.headers_mut().insert("x-oss-bucket-region", region);
    }
    response
}
