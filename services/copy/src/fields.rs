//! Reads the fields that only copies have, one by one, and remembers what is wrong.

use sampan_chassis::convert::spec::{NamedImage, SpecReader};
use sampan_chassis::cost::CostLimit;
use sampan_core::{Cloud, Reason, Region, Violation};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::copy::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_state::OnSpent;

use crate::rules::{self, Finding};
use crate::spec::{Destination, FailurePolicy, Ground, Route};

/// Shortest and longest deadline and stall alarm.
const WAIT_RANGE: std::ops::RangeInclusive<u64> = 60..=30 * 24 * 3600;
/// Longest time that copies are kept, for estimates.
const KEEP_RANGE: std::ops::RangeInclusive<u64> = 1..=100 * 365 * 24 * 3600;
/// Most destinations of one request.
const MAX_DESTINATIONS: usize = 64;

/// The fields that were read so far.
pub(crate) struct Fields<'a> {
    reader: SpecReader<'a>,
    cost: Option<Violation>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(ground: Ground<'a>) -> Self {
        Self { reader: SpecReader::new(ground.accounts, ground.limits), cost: None }
    }

    /// Returns what is broken and what is worth a word, in the order of the reading.
    pub(crate) fn finish(self) -> (Vec<Violation>, Vec<Violation>) {
        let (mut broken, warnings) = rules::split(self.reader.finish());
        broken.extend(self.cost);
        (broken, warnings)
    }

    pub(crate) fn image(&mut self, image: Option<&image_pb::ImageReference>) -> Option<NamedImage> {
        self.reader.image("spec.image", image)
    }

    /// Reads the destinations; those that name no region, or one twice, are left out. Returns their places too.
    pub(crate) fn destinations(
        &mut self,
        cloud: Option<Cloud>,
        destinations: &[pb::Destination],
    ) -> (Vec<Destination>, Vec<usize>) {
        if destinations.is_empty() {
            self.reader.missing("spec.destinations", "a destination");
        }
        if destinations.len() > MAX_DESTINATIONS {
            let finding = Finding::new(Reason::NumberOutOfRange, "spec.destinations")
                .message(format!("there are {} destinations", destinations.len()))
                .fix(format!("Name {MAX_DESTINATIONS} regions or fewer in one request"));
            let most = format!("{MAX_DESTINATIONS} destinations");
            self.reader.push(finding.limit(most, destinations.len().to_string()));
        }
        let (mut read, mut left_out) = (Vec::<Destination>::new(), Vec::new());
        for (index, destination) in destinations.iter().enumerate().take(MAX_DESTINATIONS) {
            let field = format!("spec.destinations[{index}].region");
            let Some(region) = self.reader.text::<Region>(&field, &destination.region, Reason::FieldMalformed) else {
                left_out.push(index);
                continue;
            };
            if let Some(cloud) = cloud {
                self.reader.known_region(&field, cloud, &region);
            }
            if read.iter().any(|known| known.region == region) {
                let finding = Finding::new(Reason::DestinationRepeated, &field);
                let finding = finding.message(format!("{region} is named more than once"));
                self.reader.push(finding.limit("once", region.as_str()));
                left_out.push(index);
                continue;
            }
            let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
            let (image_name, kms_key_id) = (filled(&destination.image_name), filled(&destination.kms_key_id));
            read.push(Destination { region, image_name, kms_key_id });
        }
        (read, left_out)
    }

    pub(crate) fn failure_policy(&mut self, number: i32) -> FailurePolicy {
        match pb::FailurePolicy::try_from(number) {
            Ok(pb::FailurePolicy::Unspecified | pb::FailurePolicy::BestEffort) => FailurePolicy::BestEffort,
            Ok(pb::FailurePolicy::AllOrNothing) => FailurePolicy::AllOrNothing,
            Err(_) => {
                self.reader.unknown_enum("spec.failure_policy", number);
                FailurePolicy::BestEffort
            }
        }
    }

    pub(crate) fn route(&mut self, number: i32) -> Option<Route> {
        match pb::CopyRoute::try_from(number) {
            Ok(pb::CopyRoute::Unspecified) => None,
            Ok(pb::CopyRoute::Image) => Some(Route::Image),
            Ok(pb::CopyRoute::Snapshots) => Some(Route::Snapshots),
            Err(_) => {
                self.reader.unknown_enum("spec.route", number);
                None
            }
        }
    }

    pub(crate) fn when_quota_spent(&mut self, number: i32) -> OnSpent {
        self.reader.when_quota_spent("spec.when_quota_spent", number)
    }

    pub(crate) fn max_cost(&mut self, limit: Option<&billing_pb::CostLimit>) -> Option<CostLimit> {
        CostLimit::parse(limit?, "spec.max_cost").map_err(|broken| self.cost = Some(*broken)).ok()
    }

    pub(crate) fn wait(&mut self, field: &'static str, wait: Option<prost_types::Duration>) -> Option<u64> {
        let wait = wait?;
        let seconds = seconds_in(&wait, WAIT_RANGE);
        if seconds.is_none() {
            let finding = Finding::new(Reason::DeadlineOutOfRange, field).message(format!("{field} is out of range"));
            let finding =
                finding.fix("Choose 1 minute to 30 days, or leave it unset: then the size of the image decides");
            self.reader.push(finding.limit("1 minute to 30 days", format!("{} s", wait.seconds)));
        }
        seconds
    }

    /// Reads how long copies are kept.
    pub(crate) fn keep_for(&mut self, field: &'static str, asked: Option<prost_types::Duration>) -> Option<u64> {
        let asked = asked?;
        let seconds = seconds_in(&asked, KEEP_RANGE);
        if seconds.is_none() {
            let finding = Finding::new(Reason::NumberOutOfRange, field).message(format!("{field} is out of range"));
            let finding = finding.fix("Choose 1 second to 100 years, or leave it unset for 30 days");
            self.reader.push(finding.limit("1 second to 100 years", format!("{} s", asked.seconds)));
        }
        seconds
    }
}

fn seconds_in(asked: &prost_types::Duration, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let in_range = |seconds: &u64| range.contains(seconds) && (0..1_000_000_000).contains(&asked.nanos);
    u64::try_from(asked.seconds).ok().filter(in_range)
}
