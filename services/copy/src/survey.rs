//! Finds out what the cloud says about a copy before it starts: the image, each destination, the vendor's own check.
//!
//! What follows from the answers is decided by [`crate::rules`].

use futures::future::join_all;
use sampan_cloud::copy::CopyCall;
use sampan_cloud::image::{Image, ImageState};
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::limits::Limits;
use sampan_core::{ImageId, Reason, Region};

use crate::rules::destination::Facts;
use crate::rules::sources::Source;
use crate::rules::{self, Finding};
use crate::spec::{CopySpec, Route};

const VENDOR: Source<'static> = ("the cloud's own check of the copy", "");

/// The live facts of one copy.
#[derive(Debug)]
pub struct Survey {
    /// The image; `None` when it does not exist.
    pub image: Result<Option<Image>, CallError>,
    /// The regions that the account can use; `None` where the cloud does not tell.
    pub regions: Result<Option<Vec<Region>>, CallError>,
    /// The destinations that were looked at, in the order of the request.
    pub destinations: Vec<DestinationSurvey>,
    /// The vendor's own checks, one for each call.
    pub vendor_checks: Vec<Result<(), CallError>>,
}

/// The live facts of one destination.
#[derive(Debug)]
pub struct DestinationSurvey {
    /// The region.
    pub region: Region,
    /// What it answered.
    pub facts: Facts,
    /// The first question that it did not answer.
    pub failed: Option<CallError>,
}

impl DestinationSurvey {
    /// Asks one destination, all questions at once. Makes no mutating call.
    pub async fn take(account: &Account, region: &Region, name: Option<String>) -> Self {
        let named = async {
            match &name {
                Some(name) => account.copies.images_named(region, name).await,
                None => Ok(Vec::new()),
            }
        };
        let (count, ceiling, named) =
            futures::join!(account.copies.count_images(region), account.images.image_quota(region), named);
        // Some regions do not tell their ceiling; the tables do, then. An outage is another thing.
        let silent = ceiling.as_ref().err().filter(|error| is_outage(error)).cloned();
        let failed = count.as_ref().err().or(named.as_ref().err()).cloned().or(silent);
        let facts = Facts {
            count: count.ok(),
            ceiling: ceiling.ok().flatten(),
            name: name.clone(),
            named: named.unwrap_or_default(),
        };
        Self { region: region.clone(), facts, failed }
    }

    /// Returns every rule that the destination breaks.
    pub fn findings(&self, spec: &CopySpec, own: &[ImageId], limits: &Limits) -> Vec<Finding> {
        let mut findings = rules::destination::check(spec, &self.region, &self.facts, own, limits);
        findings.extend(self.failed.as_ref().map(|error| unanswered(error, &spec.field_of(&self.region))));
        findings
    }

    /// Returns the answer that is missing because the cloud could not be reached or was too busy to answer.
    pub fn outage(&self) -> Option<&CallError> {
        self.failed.as_ref().filter(|error| is_outage(error))
    }
}

impl Survey {
    /// Asks the cloud about the image, and about `regions` of the destinations. Makes no mutating call.
    pub async fn take(account: &Account, spec: &CopySpec, regions: &[Region], limits: &Limits) -> Self {
        let (image, usable) =
            futures::join!(account.images.describe_image(&spec.region, &spec.image), account.copies.regions());
        let known = image.as_ref().ok().and_then(Option::as_ref);
        let name = |region: &Region| {
            let explicit =
                spec.image_name.is_some() || spec.destination(region).is_some_and(|d| d.image_name.is_some());
            let kept = known.map(|image| image.name.as_str());
            kept.or(explicit.then_some("")).map(|kept| spec.name_in(region, kept))
        };
        let calls = match known {
            Some(image) if image.state == ImageState::Ready => checks(account, spec, image, regions, limits),
            Some(_) | None => Vec::new(),
        };
        let (destinations, vendor_checks) = futures::join!(
            join_all(regions.iter().map(|region| DestinationSurvey::take(account, region, name(region)))),
            join_all(calls.iter().map(|call| account.copies.check_copy(call))),
        );
        Self { image, regions: usable, destinations, vendor_checks }
    }

    fn errors(&self) -> impl Iterator<Item = &CallError> {
        let asked = self.image.as_ref().err().into_iter().chain(self.regions.as_ref().err());
        let checks = self.vendor_checks.iter().filter_map(|check| check.as_ref().err());
        asked.chain(self.destinations.iter().filter_map(|destination| destination.failed.as_ref())).chain(checks)
    }

    /// Returns the first answer that is missing because the cloud could not be reached or was too busy to answer.
    pub fn outage(&self) -> Option<&CallError> {
        self.errors().find(|error| is_outage(error))
    }

    /// Returns the vendor's word that other work holds the image.
    pub fn busy(&self) -> Option<&CallError> {
        self.vendor_checks.iter().filter_map(|check| check.as_ref().err()).find(|error| is_busy(error))
    }

    /// Returns the vendor's word that the day's calls are used up. Not a broken rule: it passes by itself, and the
    /// lane has to know.
    pub fn spent(&self) -> Option<&CallError> {
        self.vendor_checks.iter().filter_map(|check| check.as_ref().err()).find(|error| is_day_spent(error))
    }

    /// Returns every rule that the facts break, each once.
    ///
    /// - `own`: images that earlier attempts of the same operation have made, by region.
    pub fn findings(
        &self,
        spec: &CopySpec,
        account: &Account,
        own: &[(Region, ImageId)],
        limits: &Limits,
    ) -> Vec<Finding> {
        let mut findings = match &self.image {
            Ok(image) => rules::image::check(spec, image.as_ref(), account.copies.copy_traits(), limits),
            Err(error) => vec![unanswered(error, "spec.image")],
        };
        findings.extend(self.unusable(spec));
        for destination in &self.destinations {
            let of_region = own.iter().filter(|(region, _)| *region == destination.region);
            let of_region: Vec<ImageId> = of_region.map(|(_, image)| image.clone()).collect();
            findings.extend(destination.findings(spec, &of_region, limits));
        }
        for error in self.vendor_checks.iter().filter_map(|check| check.as_ref().err()) {
            let finding = vendor_finding(error);
            // The vendor names one cause at a time, and often one that the facts have told already.
            let rule = &finding.clone().violation().rule;
            let is_known = findings.iter().any(|known| known.clone().violation().rule == *rule);
            if !is_known && !is_busy(error) && !is_day_spent(error) {
                findings.push(finding);
            }
        }
        findings
    }

    /// Destinations that the account cannot use, where the cloud lists those that it can.
    fn unusable(&self, spec: &CopySpec) -> Vec<Finding> {
        let Ok(Some(usable)) = &self.regions else { return Vec::new() };
        let wrong = spec.destinations.iter().enumerate().filter(|(_, wanted)| !usable.contains(&wanted.region));
        wrong
            .map(|(index, wanted)| {
                Finding::new(Reason::RegionUnsupported, spec.field(index, "region"))
                    .message(format!("the account cannot use {}", wanted.region))
                    .limit("a region that the cloud lists for the account", wanted.region.as_str())
                    .source(("the cloud's own list of regions", ""))
                    .fix("Choose a region that the account can use, or have it opened for the account")
            })
            .collect()
    }
}

/// Returns the calls to ask the vendor about: one for all destinations where one serves all.
fn checks(account: &Account, spec: &CopySpec, image: &Image, regions: &[Region], limits: &Limits) -> Vec<CopyCall> {
    let traits = account.copies.copy_traits();
    let at_once = |regions: Vec<Region>| {
        let name = regions.first().map_or_else(String::new, |region| spec.name_in(region, &image.name));
        spec.call(regions, name, None)
    };
    if regions.is_empty() || rules::image::route_of(spec, image, traits, limits) == Route::Snapshots {
        Vec::new()
    } else if traits.fans_out {
        vec![at_once(regions.to_vec())]
    } else {
        regions.iter().map(|region| at_once(vec![region.clone()])).collect()
    }
}

/// Returns whether a question got no answer now and may get one soon.
pub(crate) fn is_outage(error: &CallError) -> bool {
    match error.class {
        CallClass::Transient | CallClass::Throttled => true,
        // Questions have no effect. The one that has is a check that was taken for the copy: never repeat it.
        CallClass::UnknownOutcome
        | CallClass::Busy
        | CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials => false,
    }
}

fn is_busy(error: &CallError) -> bool {
    error.class == CallClass::Busy
}

/// Returns whether the cloud says that the day's calls are used up; a full destination is another thing.
pub(crate) fn is_day_spent(error: &CallError) -> bool {
    let full = [Reason::DestinationFull, Reason::SnapshotsFull, Reason::TagsFull];
    error.class == CallClass::Quota && !full.contains(&error.reason)
}

/// A question that got no answer: an outage, or a right that the account lacks.
fn unanswered(error: &CallError, field: &str) -> Finding {
    Finding::new(error.reason, field).message(error.to_string())
}

/// The vendor's answer to the check, as a broken rule.
fn vendor_finding(error: &CallError) -> Finding {
    let field = match error.reason {
        Reason::DestinationFull
        | Reason::DestinationIsSource
        | Reason::RegionPairUnsupported
        | Reason::RegionUnsupported
        | Reason::SnapshotsFull => "spec.destinations",
        Reason::ImageNameTaken | Reason::ImageNameMalformed => "spec.image_name",
        Reason::DescriptionMalformed => "spec.description",
        Reason::TagMalformed | Reason::TagsFull => "spec.tags",
        Reason::ResourceGroupNotFound => "spec.resource_group_id",
        Reason::EncryptionRefused | Reason::EncryptionMalformed | Reason::KmsKeyRefused | Reason::KmsNotEnabled => {
            "spec.encryption"
        }
        Reason::CloudPermissionDenied
        | Reason::CloudCredentialsRejected
        | Reason::CloudAccountBlocked
        | Reason::CloudRefused => "",
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
