//! What the call in hand may do: asked by the services once they have read the request.

use std::sync::Arc;

use http::Extensions;
use sampan_core::Reason;
use sampan_state::operation::Operation;

use super::policy::{Mode, Policy};
use super::rule::{Refusal, Rule};
use super::{Identity, Proof};
use crate::cost::CostLimit;
use crate::status::Problem;

/// One thing that a caller wants to do. Only what is set is compared with the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What is done, such as `export.start`.
    pub action: &'a str,
    /// The configured account.
    pub account: Option<&'a str>,
    /// Every region that is touched.
    pub regions: Vec<&'a str>,
    /// The bucket.
    pub bucket: Option<&'a str>,
    /// Numbers of the accounts that an image is shared with.
    pub share_targets: Vec<&'a str>,
}

impl<'a> Ask<'a> {
    /// Asks for an action alone.
    pub fn new(action: &'a str) -> Self {
        Self { action, ..Self::default() }
    }

    /// Adds the account.
    #[must_use]
    pub fn account(mut self, account: &'a str) -> Self {
        self.account = Some(account);
        self
    }

    /// Adds a region.
    #[must_use]
    pub fn region(mut self, region: &'a str) -> Self {
        self.regions.push(region);
        self
    }

    /// Adds the bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: &'a str) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Adds accounts that an image is shared with.
    #[must_use]
    pub fn share_targets(mut self, targets: impl IntoIterator<Item = &'a str>) -> Self {
        self.share_targets.extend(targets);
        self
    }
}

/// The leave to do what was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Permit {
    /// What a start may cost at most, by the policy; `None` when it sets no cap.
    pub cost_cap: Option<CostLimit>,
}

impl Permit {
    /// Returns the limit under which a start may go on: the caller's own, and never above the cap of the policy.
    ///
    /// # Errors
    /// A problem with the reason [`Reason::PolicyDenied`] when the two are in different currencies.
    pub fn limit(&self, asked: Option<CostLimit>) -> Result<Option<CostLimit>, Problem> {
        let (Some(cap), Some(asked)) = (&self.cost_cap, &asked) else { return Ok(asked.or(self.cost_cap.clone())) };
        let limit = asked.under(cap).ok_or_else(|| {
            let words = format!("the policy caps the cost of this start at {cap}; give max_cost in that currency");
            Problem::new(Reason::PolicyDenied, words).with("missing", "max_cost")
        })?;
        Ok(Some(limit))
    }
}

/// Who calls, and by which policy. In the extensions of every request.
#[derive(Debug, Clone)]
pub struct Access {
    identity: Identity,
    policy: Option<Arc<Policy>>,
}

impl Access {
    /// Makes the access of a caller; without a policy, whoever is known may do everything.
    pub fn new(identity: Identity, policy: Option<Arc<Policy>>) -> Self {
        Self { identity, policy }
    }

    /// Returns the access of the call with these extensions; of nobody where no layer has authenticated.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self::new(Identity::nobody(), None))
    }

    /// Returns who calls.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns who calls, as records keep it; empty when callers are not told apart.
    pub fn caller(&self) -> &str {
        &self.identity.subject
    }

    /// Returns the leave to do what `ask` says.
    ///
    /// # Errors
    /// A problem with the reason [`Reason::PolicyDenied`] that names what is missing; in the dry-run mode it is
    /// logged instead.
    pub fn check(&self, ask: &Ask<'_>) -> Result<Permit, Problem> {
        let Some(policy) = self.judge() else { return Ok(Permit::default()) };
        match policy.decide(self.caller(), ask) {
            Ok(rule) => Ok(Permit { cost_cap: rule.cost_cap() }),
            Err(refusal) => self.refuse(policy, ask.action, &refusal).map(|()| Permit::default()),
        }
    }

    /// Returns whether the caller may do `action`, such as `operations.read`, with an operation that `record` is of.
    pub fn may(&self, action: &str, record: &Operation) -> bool {
        let Some(policy) = self.judge() else { return true };
        let account = record.lane.account.to_string();
        let region = record.lane.region.to_string();
        let ask = Ask::new(action).account(&account).region(&region);
        policy.owns(self.caller(), &record.caller, &ask)
            || policy.mode() == Mode::DryRun && {
                tracing::warn!(caller = self.caller(), action, operation = %record.id, "the policy would refuse this");
                true
            }
    }

    /// Returns whether the policy limits what this caller sees at all.
    pub fn is_limited(&self) -> bool {
        self.judge().is_some()
    }

    /// Returns the policy that judges this caller. A peer has judged whom it works for.
    fn judge(&self) -> Option<&Policy> {
        self.policy.as_deref().filter(|_| self.identity.proof != Proof::Peer)
    }

    fn refuse(&self, policy: &Policy, action: &str, refusal: &Refusal) -> Result<(), Problem> {
        if policy.mode() == Mode::DryRun {
            tracing::warn!(caller = self.caller(), action, missing = %refusal, "the policy would refuse this");
            return Ok(());
        }
        let who = if self.caller().is_empty() { "an unknown caller" } else { self.caller() };
        let problem = Problem::new(Reason::PolicyDenied, format!("{who} may not do {action}: {refusal}"));
        Err(problem.with("action", action).with("missing", refusal.dimension()))
    }
}

impl Rule {
    fn cost_cap(&self) -> Option<CostLimit> {
        let cap = self.max_cost.as_ref()?;
        Some(CostLimit::of(cap.amount, cap.currency.clone()))
    }
}
