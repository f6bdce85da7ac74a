//! Finds out what the cloud says about an export before it starts: image, bucket, and the vendor's own check.
//!
//! What follows from the answers is decided by [`crate::rules`].

use sampan_cloud::bucket::Bucket;
use sampan_cloud::image::Image;
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::Reason;
use sampan_core::limits::Limits;

use crate::rules::sources::Source;
use crate::rules::{self, Finding};
use crate::spec::ExportSpec;

const VENDOR: Source<'static> = ("the cloud's own check of the export", "");

/// The live facts of one export.
#[derive(Debug)]
pub struct Survey {
    /// The image; `None` when it does not exist.
    pub image: Result<Option<Image>, CallError>,
    /// The bucket; `None` when it does not exist.
    pub bucket: Result<Option<Bucket>, CallError>,
    /// The vendor's own check of the export.
    pub vendor_check: Result<(), CallError>,
}

impl Survey {
    /// Asks the cloud, all questions at once. Makes no mutating call.
    pub async fn take(account: &Account, spec: &ExportSpec) -> Self {
        let call = spec.call();
        let bucket = spec.bucket_ref();
        let (image, bucket, vendor_check) = futures::join!(
            account.images.describe_image(&spec.region, &spec.image),
            account.buckets.head_bucket(&bucket),
            account.images.check_export(&call),
        );
        Self { image, bucket, vendor_check }
    }

    /// Returns the first answer that is missing because the cloud could not be reached or was too busy to answer.
    pub fn outage(&self) -> Option<&CallError> {
        let errors = [self.image.as_ref().err(), self.bucket.as_ref().err(), self.vendor_check.as_ref().err()];
        errors.into_iter().flatten().find(|error| is_outage(error))
    }

    /// Returns the vendor's word that other work holds the image or that the task list is full.
    pub fn busy(&self) -> Option<&CallError> {
        self.vendor_check.as_ref().err().filter(|error| error.class == CallClass::Busy)
    }

    /// Returns the vendor's word that a quota of its own is used up. Not a broken rule: it passes by itself, and the
    /// lane has to know.
    pub fn spent(&self) -> Option<&CallError> {
        self.vendor_check.as_ref().err().filter(|error| error.class == CallClass::Quota)
    }

    /// Returns every rule that the facts break, each once.
    pub fn findings(&self, spec: &ExportSpec, limits: &Limits) -> Vec<Finding> {
        let mut findings = about_image(spec, &self.image, limits);
        findings.extend(about_bucket(spec, &self.bucket));
        let passes = self.busy().or(self.spent()).is_some();
        if let Some(error) = self.vendor_check.as_ref().err().filter(|_| !passes) {
            let finding = vendor_finding(error);
            // The vendor names one cause at a time, and often one that the facts have told already.
            let rule = &finding.clone().violation().rule;
            if !findings.iter().any(|known| known.clone().violation().rule == *rule) {
                findings.push(finding);
            }
        }
        findings
    }
}

/// Returns every rule that the image breaks, by the cloud's answer.
pub(crate) fn about_image(
    spec: &ExportSpec,
    image: &Result<Option<Image>, CallError>,
    limits: &Limits,
) -> Vec<Finding> {
    match image {
        Ok(image) => rules::image::check(spec, image.as_ref(), limits),
        Err(error) => vec![unanswered(error, "spec.image")],
    }
}

/// Returns every rule that the bucket breaks, by the cloud's answer.
pub(crate) fn about_bucket(spec: &ExportSpec, bucket: &Result<Option<Bucket>, CallError>) -> Vec<Finding> {
    match bucket {
        Ok(bucket) => rules::bucket::check(spec, bucket.as_ref()),
        Err(error) => vec![unanswered(error, "spec.bucket")],
    }
}

fn is_outage(error: &CallError) -> bool {
    match error.class {
        CallClass::Transient | CallClass::Throttled => true,
        // Questions have no effect. The one that has is a check that was taken for the export: never repeat it.
        CallClass::UnknownOutcome
        | CallClass::Busy
        | CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials => false,
    }
}

/// A question that got no answer: an outage, or a right that the account lacks.
fn unanswered(error: &CallError, field: &str) -> Finding {
    let reason = match (error.class, field) {
        (CallClass::Permission, "spec.bucket") => Reason::BucketNotAccessible,
        _ => error.reason,
    };
    Finding::new(reason, field).message(error.to_string())
}

/// The vendor's answer to the check, as a broken rule.
fn vendor_finding(error: &CallError) -> Finding {
    let field = match error.reason {
        Reason::BucketNotFound | Reason::BucketElsewhere | Reason::BucketNotWritable | Reason::BucketEncrypted => {
            "spec.bucket"
        }
        Reason::PrefixMalformed => "spec.prefix",
        Reason::ExportRoleMissing => "spec.role_name",
        Reason::FormatUnsupported | Reason::FormatUnsupportedInRegion => "spec.format",
        Reason::CloudPermissionDenied
        | Reason::CloudCredentialsRejected
        | Reason::CloudAccountBlocked
        | Reason::CloudRefused
        | Reason::RegionUnsupported => "",
        _ => "spec.image.image_id",
    };
    let finding = Finding::new(error.reason, field).message(error.to_string());
    finding.limit("", error.code.clone().unwrap_or_default()).source(VENDOR)
}

/// Returns the vendor's word that something passes by itself: a start waits for it, or is told so.
pub(crate) fn passing(error: &CallError, waits: bool) -> Finding {
    let finding = vendor_finding(error);
    if waits { finding.warning() } else { finding }
}
