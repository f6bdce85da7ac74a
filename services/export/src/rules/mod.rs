//! The rules that an export must keep: pure functions from facts to violations.
//!
//! [`request`] looks at the request alone, [`image`] at the image, [`bucket`] at the bucket. Every rule has one
//! function; limits come from data. What the facts are is found out in [`crate::survey`].

pub mod bucket;
pub mod image;
pub mod request;
pub(crate) mod sources;

use sampan_core::limits::{Enforcement, Limit, Words};
use sampan_core::{Cloud, Reason, Severity, Violation};

use self::sources::Source;

/// A violation in the making.
#[derive(Debug, Clone)]
pub struct Finding(Violation);

impl Finding {
    /// Begins a violation of `reason` at `field` (empty when no field is at fault), enforced, with the standard
    /// words of the reason.
    pub fn new(reason: Reason, field: &str) -> Self {
        Self(Violation {
            rule: reason.as_str().to_owned(),
            field: field.to_owned(),
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
    pub(crate) fn source(mut self, (name, date): Source<'_>) -> Self {
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
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text.chars().take(LONGEST).collect()
}
