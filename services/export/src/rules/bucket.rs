//! Rules about the bucket, as the cloud describes it.

use sampan_cloud::bucket::Bucket;
use sampan_core::{Cloud, Reason};

use super::Finding;
use crate::spec::ExportSpec;

const FIELD: &str = "spec.bucket";

/// Returns every rule that the bucket breaks; `None` stands for a bucket that does not exist.
pub fn check(spec: &ExportSpec, bucket: Option<&Bucket>) -> Vec<Finding> {
    let Some(bucket) = bucket else {
        let message = format!("bucket {} does not exist, or not in {}", spec.bucket, spec.region);
        return vec![Finding::new(Reason::BucketNotFound, FIELD).message(message)];
    };
    [elsewhere(spec, bucket), encrypted(spec.cloud, bucket)].into_iter().flatten().collect()
}

fn elsewhere(spec: &ExportSpec, bucket: &Bucket) -> Option<Finding> {
    let region = bucket.region.as_deref()?;
    let finding = Finding::new(Reason::BucketElsewhere, FIELD);
    (region != spec.region.as_str())
        .then(|| finding.message(format!("bucket {} is in {region}", spec.bucket)).limit(spec.region.as_str(), region))
}

fn encrypted(cloud: Cloud, bucket: &Bucket) -> Option<Finding> {
    let refused = cloud == Cloud::Alibaba && bucket.encrypted == Some(true);
    let finding = Finding::new(Reason::BucketEncrypted, FIELD);
    refused.then(|| finding.source("Alibaba Cloud, ExportImage, error InvalidOSSBucket.EncryptUnsupported"))
}
