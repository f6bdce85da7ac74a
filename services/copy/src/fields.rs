//! Reads the fields that only copies have, one by one, and remembers what is wrong.

use sampan_chassis::convert::spec::{Periods, SpecReader};
use sampan_core::{Cloud, Reason, Region};
use sampan_proto::copy::v1 as pb;

use crate::rules::Finding;
use crate::spec::{Destination, FailurePolicy, Route};

/// How long copies are kept, for estimates.
pub(crate) const KEEPS: Periods = Periods {
    seconds: 1..=100 * 365 * 24 * 3600,
    words: "1 second to 100 years",
    fix: "Choose 1 second to 100 years, or leave it unset for 30 days",
    reason: Reason::NumberOutOfRange,
};
/// Most destinations of one request.
const MAX_DESTINATIONS: usize = 64;

/// Reads the destinations; those that name no region, or one twice, are left out. Returns their places too.
pub(crate) fn destinations(
    reader: &mut SpecReader<'_>,
    cloud: Option<Cloud>,
    destinations: &[pb::Destination],
) -> (Vec<Destination>, Vec<usize>) {
    if destinations.is_empty() {
        reader.missing("spec.destinations", "a destination");
    }
    if destinations.len() > MAX_DESTINATIONS {
        let finding = Finding::new(Reason::NumberOutOfRange, "spec.destinations")
            .message(format!("there are {} destinations", destinations.len()))
            .fix(format!("Name {MAX_DESTINATIONS} regions or fewer in one request"));
        let most = format!("{MAX_DESTINATIONS} destinations");
        reader.push(finding.limit(most, destinations.len().to_string()));
    }
    let (mut read, mut left_out) = (Vec::<Destination>::new(), Vec::new());
    for (index, destination) in destinations.iter().enumerate().take(MAX_DESTINATIONS) {
        let field = format!("spec.destinations[{index}].region");
        let Some(region) = reader.text::<Region>(&field, &destination.region, Reason::FieldMalformed) else {
            left_out.push(index);
            continue;
        };
        if let Some(cloud) = cloud {
            reader.known_region(&field, cloud, &region);
        }
        if read.iter().any(|known| known.region == region) {
            let finding = Finding::new(Reason::DestinationRepeated, &field);
            let finding = finding.message(format!("{region} is named more than once"));
            reader.push(finding.limit("once", region.as_str()));
            left_out.push(index);
            continue;
        }
        let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
        let (image_name, kms_key_id) = (filled(&destination.image_name), filled(&destination.kms_key_id));
        read.push(Destination { region, image_name, kms_key_id });
    }
    (read, left_out)
}

pub(crate) fn failure_policy(reader: &mut SpecReader<'_>, number: i32) -> FailurePolicy {
    match pb::FailurePolicy::try_from(number) {
        Ok(pb::FailurePolicy::Unspecified | pb::FailurePolicy::BestEffort) => FailurePolicy::BestEffort,
        Ok(pb::FailurePolicy::AllOrNothing) => FailurePolicy::AllOrNothing,
        Err(_) => {
            reader.unknown_enum("spec.failure_policy", number);
            FailurePolicy::BestEffort
        }
    }
}

pub(crate) fn route(reader: &mut SpecReader<'_>, number: i32) -> Option<Route> {
    match pb::CopyRoute::try_from(number) {
        Ok(pb::CopyRoute::Unspecified) => None,
        Ok(pb::CopyRoute::Image) => Some(Route::Image),
        Ok(pb::CopyRoute::Snapshots) => Some(Route::Snapshots),
        Err(_) => {
            reader.unknown_enum("spec.route", number);
            None
        }
    }
}
