//! Decides what a subject may do, by a file: everything that no rule permits is denied.
//!
//! ```toml
//! mode = "enforce"                       # or "dry-run": what would be refused is only logged
//!
//! [teams]
//! images = ["spiffe://corp.example/ns/images/*"]
//!
//! [[allow]]
//! subjects = ["team:images"]
//! actions = ["export.*", "quota.read", "operations.*"]
//! accounts = ["prod-cn"]
//! regions = ["ap-*"]
//! buckets = ["images-*"]
//! operations_of = ["team"]               # "self" when it is not written
//! max_cost = { amount = "50", currency = "USD" }
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;

use super::access::Ask;
use super::pattern::Pattern;
use super::rule::{Refusal, Rule, SELF, TEAM, holds};

const TEAM_PREFIX: &str = "team:";

/// Whether the policy refuses, or only says what it would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What no rule permits is refused.
    #[default]
    Enforce,
    /// Everything is permitted; what would be refused is logged.
    DryRun,
}

/// What subjects may do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    teams: BTreeMap<String, Vec<Pattern>>,
    #[serde(default)]
    allow: Vec<Rule>,
}

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the policy {path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The text is no policy.
    #[error("the policy {path} is not valid: {message}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, with the line.
        message: String,
    },
}

impl Policy {
    /// Reads the text of a policy.
    ///
    /// # Errors
    /// A sentence with the line: unknown keys, a subject of a team that is not defined, an action that does not
    /// exist, a cap below zero.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for (number, rule) in policy.allow.iter().enumerate() {
            let wrong = |what: String| Err(format!("rule {}: {what}", number + 1));
            if rule.subjects.is_empty() || rule.actions.is_empty() {
                return wrong("subjects and actions must not be empty".to_owned());
            }
            let mut teams = rule.subjects.iter().filter_map(|subject| subject.as_str().strip_prefix(TEAM_PREFIX));
            if let Some(team) = teams.find(|team| !policy.teams.contains_key(*team)) {
                return wrong(format!("no team `{team}` is defined under [teams]"));
            }
            if let Some(action) = rule.actions.iter().find(|action| !ACTIONS.iter().any(|known| action.matches(known)))
            {
                return wrong(format!("`{action}` matches no action; there are: {}", ACTIONS.join(", ")));
            }
            if rule.max_cost.as_ref().is_some_and(|cap| cap.amount.is_sign_negative()) {
                return wrong("max_cost is below zero".to_owned());
            }
        }
        Ok(policy)
    }

    /// Returns whether it refuses.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the rule that permits `ask`: of several the one without a cap, else the first.
    ///
    /// # Errors
    /// [`Refusal`] of the rule that came nearest.
    pub fn decide(&self, subject: &str, ask: &Ask<'_>) -> Result<&Rule, Refusal> {
        let mut nearest = Refusal::Subject;
        let mut found: Option<&Rule> = None;
        for rule in self.rules_of(subject) {
            match rule.permits(ask) {
                Ok(()) if rule.max_cost.is_none() => return Ok(rule),
                Ok(()) => found = found.or(Some(rule)),
                Err(refusal) if rank(&refusal) > rank(&nearest) => nearest = refusal,
                Err(_) => {}
            }
        }
        found.ok_or(nearest)
    }

    /// Returns whether `subject` may do what `ask` says with an operation that `owner` has started.
    pub fn owns(&self, subject: &str, owner: &str, ask: &Ask<'_>) -> bool {
        self.rules_of(subject).any(|rule| {
            let of = rule.operations_of.iter().any(|pattern| match pattern.as_str() {
                SELF => !owner.is_empty() && owner == subject,
                TEAM => self.share_a_team(subject, owner),
                _ => pattern.matches(owner),
            });
            of && rule.permits(ask).is_ok()
        })
    }

    fn rules_of<'a, 's>(&'a self, subject: &'s str) -> impl Iterator<Item = &'a Rule> + use<'a, 's> {
        self.allow.iter().filter(move |rule| {
            rule.subjects.iter().any(|pattern| match pattern.as_str().strip_prefix(TEAM_PREFIX) {
                Some(team) => self.is_member(team, subject),
                None => pattern.matches(subject),
            })
        })
    }

    fn is_member(&self, team: &str, subject: &str) -> bool {
        !subject.is_empty() && self.teams.get(team).is_some_and(|members| holds(members, subject))
    }

    fn share_a_team(&self, one: &str, other: &str) -> bool {
        let is_same = !one.is_empty() && one == other;
        is_same || self.teams.keys().any(|team| self.is_member(team, one) && self.is_member(team, other))
    }
}

/// Everything that can be asked for.
pub const ACTIONS: [&str; 14] = [
    "export.preview",
    "export.start",
    "export.download",
    "copy.preview",
    "copy.start",
    "share.preview",
    "share.start",
    "share.list",
    "billing.estimate",
    "quota.read",
    "operations.read",
    "operations.cancel",
    "operations.retry",
    "reflection.read",
];

fn rank(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Subject => 0,
        Refusal::Action => 1,
        Refusal::Account(_) => 2,
        Refusal::Region(_) => 3,
        Refusal::Bucket(_) => 4,
        Refusal::ShareTarget(_) => 5,
    }
}

/// A policy in a file, read again when the file changes. A change that cannot be read leaves the old policy.
#[derive(Debug)]
pub struct PolicyFile {
    path: PathBuf,
    current: RwLock<(String, Arc<Policy>)>,
}

impl PolicyFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (text, policy) = read(path)?;
        Ok(Self { path: path.to_owned(), current: RwLock::new((text, Arc::new(policy))) })
    }

    /// Returns the policy that applies now.
    pub fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Reads the file again; returns whether it has changed.
    ///
    /// # Errors
    /// [`Error`]; the old policy stays.
    pub fn reload(&self) -> Result<bool, Error> {
        let (text, policy) = read(&self.path)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.0 == text {
            return Ok(false);
        }
        *current = (text, Arc::new(policy));
        Ok(true)
    }
}

fn read(path: &Path) -> Result<(String, Policy), Error> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: shown.clone(), source })?;
    let policy = Policy::parse(&text).map_err(|message| Error::Malformed { path: shown, message })?;
    Ok((text, policy))
}
