//! Decides how many mutating calls a lane may make per day, from the limits in force.

use std::sync::Arc;

use sampan_core::Lane;
use sampan_core::limits::{Enforcement, Limits};
use sampan_core::quota_day::{CHINA_OFFSET_MINUTES, QuotaRule};

const DAILY_OPERATIONS: &str = "image.daily_operations";

/// The quota rule of every lane.
#[derive(Debug, Clone)]
pub struct LaneRules {
    limits: Arc<Limits>,
    utc_offset_minutes: i16,
}

impl LaneRules {
    /// Takes the daily units from `limits`, in days of UTC+8.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self { limits, utc_offset_minutes: CHINA_OFFSET_MINUTES }
    }

    /// Sets where the day begins: offset from UTC in whole minutes.
    pub fn with_utc_offset_minutes(mut self, minutes: i16) -> Self {
        self.utc_offset_minutes = minutes;
        self
    }

    /// Returns the rule of `lane`. A limit that is not enforced is counted against no number.
    pub fn rule(&self, lane: &Lane) -> QuotaRule {
        let limit = self.limits.number(lane.cloud, DAILY_OPERATIONS);
        let enforced = limit.filter(|limit| match limit.enforcement {
            Enforcement::Enforce => true,
            Enforcement::Warn | Enforcement::Off => false,
        });
        let units = enforced.and_then(|limit| limit.value);
        QuotaRule {
            daily_units: units.map(|units| u32::try_from(units).unwrap_or(u32::MAX)),
            utc_offset_minutes: self.utc_offset_minutes,
        }
    }
}

#[cfg(test)]
mod tests {
    use sampan_core::Cloud;
    use sampan_core::limits::{LimitChoices, LimitOverride};

    use super::*;

    fn rule(cloud: Cloud, change: Option<LimitOverride>) -> QuotaRule {
        let mut choices = LimitChoices::default();
        choices.tencent.extend(change.map(|change| (DAILY_OPERATIONS.to_owned(), change)));
        let lane = Lane { cloud, account: "a".parse().unwrap(), region: "r".parse().unwrap() };
        LaneRules::new(Arc::new(Limits::load(&choices).unwrap())).rule(&lane)
    }

    #[test]
    fn a_lane_of_tencent_has_five_units_a_day_and_one_of_alibaba_no_limit() {
        assert_eq!(rule(Cloud::Tencent, None), QuotaRule::per_china_day(5));
        assert_eq!(rule(Cloud::Alibaba, None), QuotaRule::unlimited());
    }

    #[test]
    fn configuration_changes_the_number_and_turns_it_off() {
        let more = LimitOverride { value: Some(20), ..LimitOverride::default() };
        assert_eq!(rule(Cloud::Tencent, Some(more)).daily_units, Some(20));
        let off = LimitOverride { enforcement: Some(Enforcement::Off), ..LimitOverride::default() };
        assert_eq!(rule(Cloud::Tencent, Some(off)).daily_units, None);
    }
}
