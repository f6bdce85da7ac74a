//! What one rule of a policy permits. A list that is not written permits nothing; `["*"]` permits everything.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::access::Ask;
use super::pattern::Pattern;

/// One `[[allow]]` of a policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Who it is for: subjects, or `team:NAME`.
    pub subjects: Vec<Pattern>,
    /// What they may do, such as `export.*`.
    pub actions: Vec<Pattern>,
    /// On which configured accounts.
    #[serde(default)]
    pub accounts: Vec<Pattern>,
    /// In which regions.
    #[serde(default)]
    pub regions: Vec<Pattern>,
    /// Into which buckets.
    #[serde(default)]
    pub buckets: Vec<Pattern>,
    /// With which accounts images may be shared.
    #[serde(default)]
    pub share_targets: Vec<Pattern>,
    /// Whose operations: `self` (the default), `team`, or patterns of subjects.
    #[serde(default = "own")]
    pub operations_of: Vec<Pattern>,
    /// What a start may cost at most; nothing written means no cap.
    pub max_cost: Option<Cap>,
}

fn own() -> Vec<Pattern> {
    vec![Pattern::new(SELF)]
}

/// The operations of the caller itself.
pub(super) const SELF: &str = "self";
/// The operations of everybody who shares a team with the caller.
pub(super) const TEAM: &str = "team";

/// What a start may cost at most.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Amount, such as `"50"`.
    pub amount: Decimal,
    /// Currency, such as `USD`.
    pub currency: String,
}

/// What no rule permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No rule is for this subject at all.
    Subject,
    /// No rule for the subject has the action.
    Action,
    /// The account is in no rule that has the action.
    Account(String),
    /// The region is in none of those rules.
    Region(String),
    /// The bucket is in none of those rules.
    Bucket(String),
    /// The account to share with is in none of those rules.
    ShareTarget(String),
}

impl Refusal {
    /// Returns the stable word of what is missing.
    pub fn dimension(&self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Action => "action",
            Self::Account(_) => "account",
            Self::Region(_) => "region",
            Self::Bucket(_) => "bucket",
            Self::ShareTarget(_) => "share_target",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject => f.write_str("no rule of the policy is for this caller"),
            Self::Action => f.write_str("no rule for this caller permits the action"),
            Self::Account(account) => write!(f, "account {account} is not permitted"),
            Self::Region(region) => write!(f, "region {region} is not permitted"),
            Self::Bucket(bucket) => write!(f, "bucket {bucket} is not permitted"),
            Self::ShareTarget(account) => write!(f, "sharing with account {account} is not permitted"),
        }
    }
}

impl Rule {
    /// Compares all but the subject.
    ///
    /// # Errors
    /// The first thing that the rule does not permit, from the action down.
    pub(super) fn permits(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        if !holds(&self.actions, ask.action) {
            return Err(Refusal::Action);
        }
        let missing = |list: &[Pattern], word: Option<&str>| word.filter(|word| !holds(list, word)).map(str::to_owned);
        if let Some(account) = missing(&self.accounts, ask.account) {
            return Err(Refusal::Account(account));
        }
        if let Some(region) = ask.regions.iter().find_map(|region| missing(&self.regions, Some(region))) {
            return Err(Refusal::Region(region));
        }
        if let Some(bucket) = missing(&self.buckets, ask.bucket) {
            return Err(Refusal::Bucket(bucket));
        }
        let target = ask.share_targets.iter().find_map(|target| missing(&self.share_targets, Some(target)));
        target.map_or(Ok(()), |target| Err(Refusal::ShareTarget(target)))
    }
}

pub(super) fn holds(list: &[Pattern], word: &str) -> bool {
    list.iter().any(|pattern| pattern.matches(word))
}
