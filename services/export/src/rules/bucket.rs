//! Rules about the bucket, as the cloud describes it.

use sampan_cloud::bucket::Bucket;
use sampan_core::{Cloud, Reason};

use super::{Finding, sources};
use crate::spec::ExportSpec;

const FIELD: &str = "spec.bucket";

/// Returns every rule that the bucket breaks; `None` stands for a bucket that does not exist.
pub fn check(spec: &ExportSpec, bucket: Option<&Bucket>) -> Vec<Finding> {
    let Some(bucket) = bucket else { return vec![absent(spec)] };
    [elsewhere(spec, bucket), encrypted(spec.cloud, bucket)].into_iter().flatten().collect()
}

fn absent(spec: &ExportSpec) -> Finding {
    Finding::new(Reason::BucketNotFound, FIELD)
        .message(format!("bucket {} does not exist, or not in {}", spec.bucket, spec.region))
        .source(sources::guide(spec.cloud))
        .fix(format!("Create bucket {} in {}, or name a bucket that is there", spec.bucket, spec.region))
}

fn elsewhere(spec: &ExportSpec, bucket: &Bucket) -> Option<Finding> {
    let region = bucket.region.as_deref()?;
    let finding = || {
        Finding::new(Reason::BucketElsewhere, FIELD)
            .message(format!("bucket {} is in {region}", spec.bucket))
            .limit(spec.region.as_str(), region)
            .source(sources::guide(spec.cloud))
            .fix(format!("Use a bucket in {}, or copy the image to {region} and export it there", spec.region))
    };
    (region != spec.region.as_str()).then(finding)
}

fn encrypted(cloud: Cloud, bucket: &Bucket) -> Option<Finding> {
    let refused = cloud == Cloud::Alibaba && bucket.encrypted == Some(true);
    let finding = || {
        Finding::new(Reason::BucketEncrypted, FIELD)
            .limit("no server-side encryption", "server-side encryption is on")
            .source(sources::refusals(cloud))
            .fix("Use a bucket without server-side encryption, or switch it off for this bucket")
    };
    refused.then(finding)
}
