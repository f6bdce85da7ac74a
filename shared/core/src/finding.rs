//! Decides how a service words a broken rule: reason, limit, source, fix, and what overrides it.
//!
//! Which rules there are, and when they are broken, is decided by the services.

use std::fmt;

use crate::ids::Cloud;
use crate::limits::{Enforcement, Limit, Words};
use crate::reason::Reason;
use crate::violation::{Severity, Violation};

/// A document: its name, and its date as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, empty when it carries none.
pub type Source<'a> = (&'a str, &'a str);

/// Source of a rule that no vendor has written down.
pub const OWN: Source<'static> = ("a rule of Sampan", "");

/// A violation in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding(Violation);

impl Finding {
    /// Begins a violation of `reason` at `field` (empty when no field is at fault), enforced, with the standard
    /// words of the reason.
    pub fn new(reason: Reason, field: impl fmt::Display) -> Self {
        Self(Violation {
            rule: reason.as_str().to_owned(),
            field: field.to_string(),
            message: reason.cause().trim_end_matches('.').to_owned(),
            limit: String::new(),
            observed: String::new(),
            source: String::new(),
            source_date: String::new(),
            fix: reason.remedy().trim_end_matches('.').to_owned(),
            override_key: String::new(),
            severity: Severity::Enforced,
        })
    }

    /// Says what is wrong in this case.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Says what is permitted and what was found.
    pub fn limit(mut self, limit: impl Into<String>, observed: impl Into<String>) -> Self {
        self.0.limit = limit.into();
        self.0.observed = observed.into();
        self
    }

    /// Says what the caller can do in this case, instead of the standard words of the reason.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.0.fix = fix.into();
        self
    }

    /// Names the document of a rule that is no number.
    pub fn source(mut self, (name, date): Source<'_>) -> Self {
        name.clone_into(&mut self.0.source);
        date.clone_into(&mut self.0.source_date);
        self
    }

    /// Makes it a warning.
    pub fn warning(mut self) -> Self {
        self.0.severity = Severity::Warning;
        self
    }

    /// Takes value, source and enforcement from a limit; `None` when it is off.
    pub fn by_limit(mut self, cloud: Cloud, limit: &Limit, observed: u64) -> Option<Self> {
        let value = limit.value?;
        self.0.limit = format!("{value} {}", limit.unit);
        self.0.observed = format!("{observed} {}", limit.unit);
        self.by(cloud, &limit.id, &limit.source, &limit.date, limit.enforcement)
    }

    /// Takes words, source and enforcement from a list; `None` when it is off.
    pub fn by_words(mut self, cloud: Cloud, words: &Words, observed: impl Into<String>) -> Option<Self> {
        self.0.limit = words.values.join(", ");
        self.0.observed = observed.into();
        self.by(cloud, &words.id, &words.source, &words.date, words.enforcement)
    }

    fn by(mut self, cloud: Cloud, id: &str, source: &str, date: &str, enforcement: Enforcement) -> Option<Self> {
        source.clone_into(&mut self.0.source);
        date.clone_into(&mut self.0.source_date);
        self.0.override_key = format!("limits.{cloud}.\"{id}\"");
        match enforcement {
            Enforcement::Enforce => Some(self),
            Enforcement::Warn => Some(self.warning()),
            Enforcement::Off => None,
        }
    }

    /// Returns the violation.
    pub fn violation(self) -> Violation {
        self.0
    }
}

/// Splits findings into those that stop the request and those that only warn.
pub fn split(findings: Vec<Finding>) -> (Vec<Violation>, Vec<Violation>) {
    findings.into_iter().map(Finding::violation).partition(|violation| violation.severity == Severity::Enforced)
}

/// Returns the beginning of a text of the caller, short enough to be repeated in an answer.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LimitChoices, LimitOverride, Limits};

    fn found(enforcement: Option<Enforcement>) -> Option<Finding> {
        let mut choices = LimitChoices::default();
        let change = LimitOverride { enforcement, ..LimitOverride::default() };
        choices.tencent.insert("export.disk_gib".to_owned(), change);
        let limits = Limits::load(&choices).unwrap();
        let limit = limits.number(Cloud::Tencent, "export.disk_gib").unwrap();
        Finding::new(Reason::ImageDiskTooLarge, "spec.image").by_limit(Cloud::Tencent, limit, 501)
    }

    #[test]
    fn a_limit_gives_its_value_its_source_and_the_key_that_overrides_it() {
        let violation = found(None).unwrap().violation();
        assert_eq!((violation.limit.as_str(), violation.observed.as_str()), ("500 GiB", "501 GiB"));
        assert!(!violation.source.is_empty());
        assert_eq!(violation.override_key, "limits.tencent.\"export.disk_gib\"");
        assert_eq!(violation.severity, Severity::Enforced);
    }

    #[test]
    fn a_limit_that_is_off_finds_nothing_and_one_that_warns_stops_nothing() {
        assert_eq!(found(Some(Enforcement::Off)), None);
        let (enforced, warnings) = split(found(Some(Enforcement::Warn)).into_iter().collect());
        assert_eq!((enforced.len(), warnings.len()), (0, 1));
    }
}
