//! Rules about the request alone, in the order of its fields: first the regions, then the options.

use sampan_core::Reason;

use super::{Finding, options, regions};
use crate::spec::{CopySpec, Ground};

/// Returns every rule that the request breaks, in the order of its fields.
pub fn check(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    let mut findings = regions::check(spec, ground.limits);
    findings.extend(calls_of_a_day(spec, ground));
    findings.extend(options::check(spec, ground));
    findings
}

/// More calls than a day has would hold up the lane for ever.
fn calls_of_a_day(spec: &CopySpec, ground: Ground<'_>) -> Option<Finding> {
    let limit = ground.limits.number(spec.cloud, "image.daily_operations")?;
    let calls = u64::from(spec.units(spec.destinations.len()));
    let most = limit.value.filter(|most| calls > *most)?;
    Finding::new(Reason::NumberOutOfRange, "spec.destinations")
        .message(format!("the copies need {calls} calls, and a day has {most}"))
        .fix(format!("Name {most} destinations or fewer in one request"))
        .by_limit(spec.cloud, limit, calls)
}
