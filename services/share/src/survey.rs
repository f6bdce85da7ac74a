//! Finds out what the cloud says about an image before its shares change: the image, and who has it now.
//!
//! What follows from the answers is decided by [`crate::rules`].

use std::collections::BTreeSet;

use sampan_cloud::image::Image;
use sampan_cloud::share::Share;
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::Severity;
use sampan_core::finding::Finding;
use sampan_core::limits::Limits;

use crate::plan::Difference;
use crate::rules;
use crate::spec::ShareSpec;

/// The live facts of one change.
#[derive(Debug)]
pub struct Survey {
    /// The image; `None` when it does not exist.
    pub image: Result<Option<Image>, CallError>,
    /// Who it is shared with.
    pub shares: Result<Vec<Share>, CallError>,
}

impl Survey {
    /// Asks the cloud, both questions at once. Makes no mutating call.
    pub async fn take(account: &Account, spec: &ShareSpec) -> Self {
        let (image, shares) = futures::join!(
            account.images.describe_image(&spec.region, &spec.image),
            account.shares.shares(&spec.region, &spec.image),
        );
        Self { image, shares }
    }

    /// Returns the first answer that is missing because the cloud could not be reached or was too busy to answer.
    pub fn outage(&self) -> Option<&CallError> {
        let errors = [self.image.as_ref().err(), self.shares.as_ref().err()];
        errors.into_iter().flatten().find(|error| is_passing(error))
    }

    /// Returns the accounts that the image is shared with; `None` when the cloud did not tell.
    pub fn live(&self) -> Option<BTreeSet<String>> {
        self.shares.as_ref().ok().map(|shares| numbers(shares))
    }

    /// Returns every rule that the facts break.
    pub fn findings(&self, spec: &ShareSpec, limits: &Limits) -> Vec<Finding> {
        let mut findings = match &self.image {
            Ok(image) => rules::image::check(spec, image.as_ref()),
            Err(error) => vec![unanswered(error, "spec.image")],
        };
        match &self.shares {
            Ok(shares) => {
                let live = numbers(shares);
                let difference = Difference::of(spec.change, &spec.account_ids, &live);
                findings.extend(rules::accounts::against_list(spec, &difference, &live, limits));
            }
            // An image that is not ours has no list of shares; that was told already.
            Err(_) if findings.iter().any(is_enforced) => {}
            Err(error) => findings.push(unanswered(error, "spec.image.image_id")),
        }
        findings
    }
}

/// Returns the numbers of the accounts of a list.
pub(crate) fn numbers(shares: &[Share]) -> BTreeSet<String> {
    shares.iter().map(|share| share.account_id.clone()).collect()
}

/// Returns whether a question that failed may well be answered a little later.
pub(crate) fn is_passing(error: &CallError) -> bool {
    match error.class {
        CallClass::Transient | CallClass::Throttled => true,
        // Questions have no effect.
        CallClass::UnknownOutcome
        | CallClass::Busy
        | CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials => false,
    }
}

fn is_enforced(finding: &Finding) -> bool {
    finding.clone().violation().severity == Severity::Enforced
}

/// A question that got no answer: an outage, or a right that the account lacks.
fn unanswered(error: &CallError, field: &str) -> Finding {
    Finding::new(error.reason, field).message(error.to_string())
}
