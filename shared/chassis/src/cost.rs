//! What a job costs, as the services that start jobs ask it of the estimator, and the limit that a caller sets.
//!
//! Prices and fees are the estimator's; which disks a job has is known by the service that asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use sampan_core::finding::{Finding, shown};
use sampan_core::{AccountName, Reason, Violation};
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use serde::{Deserialize, Serialize};
use tonic::{Request, Status};

use crate::peer::PeerTransport;
use crate::status::Problem;

/// How long a price may keep a job waiting.
const PATIENCE: Duration = Duration::from_secs(3);
const MOST_PLACES: u32 = 6;
/// A limit beyond this is a slip; it also keeps sums within what decimals hold.
const MOST: u64 = 1_000_000_000_000;

/// Asks the estimator what jobs of the configured accounts cost. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pricing {
    billing: PeerTransport,
    sites: Arc<BTreeMap<AccountName, pb::Site>>,
}

impl Pricing {
    /// Asks over `billing`; `sites` tells the price list of each account that has one.
    pub fn new(billing: PeerTransport, sites: impl IntoIterator<Item = (AccountName, pb::Site)>) -> Self {
        Self { billing, sites: Arc::new(sites.into_iter().collect()) }
    }

    /// Asks what an export of `account` costs; the site of the request is filled in.
    ///
    /// # Errors
    /// A problem with the reason [`Reason::PriceUnavailable`] and the cause in its words: no estimator answers, the
    /// account has no price list, or the request is beyond what can be estimated.
    pub async fn export(
        &self,
        account: &AccountName,
        request: pb::EstimateExportRequest,
    ) -> Result<pb::Estimate, Problem> {
        let request = pb::EstimateExportRequest { site: self.site(account)?.into(), ..request };
        let answer = self.client().estimate_export(patient(request)).await;
        answer.map_err(|status| unanswered(&status))?.into_inner().estimate.ok_or_else(no_estimate)
    }

    /// Asks what a copy of `account` costs; the site of the request is filled in.
    ///
    /// # Errors
    /// As [`Self::export`].
    pub async fn copy(&self, account: &AccountName, request: pb::EstimateCopyRequest) -> Result<pb::Estimate, Problem> {
        let request = pb::EstimateCopyRequest { site: self.site(account)?.into(), ..request };
        let answer = self.client().estimate_copy(patient(request)).await;
        answer.map_err(|status| unanswered(&status))?.into_inner().estimate.ok_or_else(no_estimate)
    }

    fn client(&self) -> BillingEstimatorServiceClient<PeerTransport> {
        BillingEstimatorServiceClient::new(self.billing.clone())
    }

    fn site(&self, account: &AccountName) -> Result<pb::Site, Problem> {
        self.sites.get(account).copied().ok_or_else(|| {
            let words = format!("the price list of account {account} is not configured (accounts.{account}.site)");
            Problem::new(Reason::PriceUnavailable, words)
        })
    }
}

fn patient<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

fn no_estimate() -> Problem {
    Problem::new(Reason::PriceUnavailable, "the estimator answered without an estimate")
}

fn unanswered(status: &Status) -> Problem {
    let cause = Problem::from_peer(status);
    let words = format!("the estimator gives no price: {}", cause.message());
    Problem::new(Reason::PriceUnavailable, words).with("cause", cause.reason().as_str())
}

/// The most that a job may cost, as its record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLimit {
    amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

impl CostLimit {
    /// Makes a limit of its parts, which were checked before.
    pub(crate) fn of(amount: Decimal, currency: String) -> Self {
        Self { amount: amount.normalize(), currency: Some(currency) }
    }

    /// Returns the lower of the two; `None` when they are in different currencies.
    pub(crate) fn under(&self, cap: &Self) -> Option<Self> {
        let same = self.currency.is_none() || cap.currency.is_none() || self.currency == cap.currency;
        let currency = self.currency.clone().or(cap.currency.clone());
        same.then(|| Self { amount: self.amount.min(cap.amount), currency })
    }

    /// Reads a limit; `field` is its path in the request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(message: &pb::CostLimit, field: &str) -> Result<Self, Box<Finding>> {
        let wrong = |part: &str, reason: Reason, limit: &str, given: &str| {
            let finding = Finding::new(reason, format_args!("{field}.{part}"));
            let finding = finding.message(format!("{field}.{part} is not well-formed")).limit(limit, shown(given));
            Box::new(finding.fix(format!("Send {limit}")))
        };
        let form = "a decimal of 0 or more with at most 6 places, such as 25 or 3.50";
        let amount = || wrong("amount", Reason::FieldMalformed, form, &message.amount);
        let is_plain = message.amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let parsed = message.amount.parse::<Decimal>().ok().filter(|_| is_plain).ok_or_else(amount)?.normalize();
        if parsed.scale() > MOST_PLACES || parsed > Decimal::from(MOST) {
            return Err(amount());
        }
        let currency = match message.currency.as_str() {
            "" => None,
            known @ ("CNY" | "USD") => Some(known.to_owned()),
            other => return Err(wrong("currency", Reason::FieldMalformed, "CNY or USD, or nothing", other)),
        };
        Ok(Self { amount: parsed, currency })
    }

    /// Decides whether a job of this price may be started.
    ///
    /// # Errors
    /// Why not, for the field that holds the limit.
    pub fn judge(&self, price: Result<&pb::Estimate, &Problem>) -> Result<(), Objection> {
        let estimate = price.map_err(|problem| self.unknown(problem.message().to_owned()))?;
        let total = estimate.total.clone().unwrap_or_default();
        if let Some(currency) = self.currency.as_ref().filter(|currency| **currency != total.currency) {
            return Err(Objection::Currency { limit: currency.clone(), bills: total.currency });
        }
        let Ok(most) = total.high.parse::<Decimal>() else {
            return Err(self.unknown("the estimator gives a total that is no number".to_owned()));
        };
        if most > self.amount {
            return Err(Objection::Above { limit: self.amount.to_string(), cost: Box::new(total) });
        }
        if estimate.lower_bound {
            let missing = missing(estimate);
            let words = format!("{missing} has no price, so {most} {} is only a lower bound", total.currency);
            return Err(self.unknown(words));
        }
        Ok(())
    }

    fn unknown(&self, why: String) -> Objection {
        Objection::Unknown { limit: self.amount.to_string(), why }
    }
}

impl fmt::Display for CostLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let currency = self.currency.as_deref().unwrap_or_default();
        write!(f, "{} {currency}", self.amount)
    }
}

/// Names the fees that have no price, as the price book does.
fn missing(estimate: &pb::Estimate) -> String {
    let unknown = estimate.lines.iter().filter(|line| line.status() == pb::LineStatus::PriceUnknown);
    let mut items: Vec<&str> = unknown.map(|line| line.item.as_str()).collect();
    items.dedup();
    if items.is_empty() { "a fee".to_owned() } else { items.join(", ") }
}

/// Why a job does not hold its limit of cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Objection {
    /// It may cost more.
    Above {
        /// The limit.
        limit: String,
        /// What it costs.
        cost: Box<pb::Money>,
    },
    /// Its price is not known, so nobody can tell.
    Unknown {
        /// The limit.
        limit: String,
        /// What is missing.
        why: String,
    },
    /// The limit is in another currency than the account's.
    Currency {
        /// Currency of the limit.
        limit: String,
        /// Currency that the account is billed in.
        bills: String,
    },
}

impl Objection {
    /// Returns the reason.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Above { .. } => Reason::CostAboveLimit,
            Self::Unknown { .. } => Reason::PriceUnavailable,
            Self::Currency { .. } => Reason::CurrencyOfOtherSite,
        }
    }

    /// Returns it as a broken rule at `field`, which holds the limit.
    pub fn violation(&self, field: &str) -> Violation {
        let finding = Finding::new(self.reason(), field);
        match self {
            Self::Above { limit, cost } => {
                let pb::Money { expected, high, currency, .. } = cost.as_ref();
                let words = format!("it may cost {high} {currency} (expected: {expected}), which is above the limit");
                let fix = "Raise the limit, or make the job smaller; the preview has every fee";
                finding.message(words).limit(format!("{limit} {currency}"), format!("{high} {currency}")).fix(fix)
            }
            Self::Unknown { limit, why } => {
                finding.message(format!("the price is not available: {why}")).limit(limit.clone(), "unknown")
            }
            Self::Currency { limit, bills } => finding
                .message(format!("the limit is in {limit}, and the account is billed in {bills}"))
                .limit(bills.clone(), limit.clone())
                .fix(format!("Give the limit in {bills}")),
        }
        .violation()
    }

    /// Returns it as the refusal of a start; figure and limit are facts of the ErrorInfo.
    pub fn problem(&self, field: &str) -> Problem {
        let violation = self.violation(field);
        let problem = Problem::violations(self.reason(), violation.message.clone(), vec![violation]);
        match self {
            Self::Above { limit, cost } => problem
                .with("limit", limit)
                .with("cost", &cost.high)
                .with("cost_expected", &cost.expected)
                .with("cost_low", &cost.low)
                .with("currency", &cost.currency),
            Self::Unknown { limit, .. } => problem.with("limit", limit),
            Self::Currency { bills, .. } => problem.with("currency", bills),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(amount: &str, currency: &str) -> Result<CostLimit, Box<Finding>> {
        CostLimit::parse(&pb::CostLimit { amount: amount.to_owned(), currency: currency.to_owned() }, "spec.max_cost")
    }

    fn estimate(high: &str) -> pb::Estimate {
        let total = pb::Money {
            low: "1.000000".to_owned(),
            expected: "2.000000".to_owned(),
            high: high.to_owned(),
            currency: "USD".to_owned(),
        };
        pb::Estimate { total: Some(total), ..pb::Estimate::default() }
    }

    #[test]
    fn the_highest_figure_holds_the_limit_to_the_last_place() {
        let limit = limit("31.00", "USD").unwrap();
        assert_eq!(limit.judge(Ok(&estimate("31.000000"))), Ok(()));
        let above = limit.judge(Ok(&estimate("31.000001"))).unwrap_err();
        assert_eq!(above.reason(), Reason::CostAboveLimit);
        let violation = above.violation("spec.max_cost");
        assert_eq!((violation.limit.as_str(), violation.observed.as_str()), ("31 USD", "31.000001 USD"));
    }

    #[test]
    fn a_price_that_is_not_known_never_holds_a_limit() {
        let limit = limit("1000", "").unwrap();
        let down = Problem::new(Reason::PriceUnavailable, "no answer");
        assert_eq!(limit.judge(Err(&down)).unwrap_err().reason(), Reason::PriceUnavailable);
        let line = |item: &str, status: pb::LineStatus| pb::Line {
            item: item.to_owned(),
            status: status.into(),
            ..pb::Line::default()
        };
        let lines = vec![line("storage", pb::LineStatus::Priced), line("request_put", pb::LineStatus::PriceUnknown)];
        let incomplete = pb::Estimate { lower_bound: true, lines, ..estimate("3.000000") };
        let unknown = limit.judge(Ok(&incomplete)).unwrap_err();
        assert_eq!(unknown.reason(), Reason::PriceUnavailable);
        assert!(unknown.violation("max_cost").message.contains("request_put has no price"));
        assert_eq!(limit.judge(Ok(&estimate(""))).unwrap_err().reason(), Reason::PriceUnavailable);
    }

    #[test]
    fn a_lower_bound_above_the_limit_is_above_the_limit() {
        let incomplete = pb::Estimate { lower_bound: true, ..estimate("3.000000") };
        let above = limit("2", "").unwrap().judge(Ok(&incomplete)).unwrap_err();
        assert_eq!(above.reason(), Reason::CostAboveLimit);
    }

    #[test]
    fn a_limit_in_another_currency_is_refused_and_never_converted() {
        let other = limit("1000", "CNY").unwrap().judge(Ok(&estimate("3.000000"))).unwrap_err();
        assert_eq!(other.reason(), Reason::CurrencyOfOtherSite);
    }

    #[test]
    fn a_malformed_limit_names_its_field() {
        for amount in ["", "-1", "+1", "1e3", "1,5", "abc", "0.0000001", "1000000000001", "1_000", "٣"] {
            let refused = limit(amount, "").unwrap_err();
            assert_eq!(refused.violation().field, "spec.max_cost.amount", "{amount}");
        }
        assert_eq!(limit("1", "EUR").unwrap_err().violation().field, "spec.max_cost.currency");
        assert_eq!(limit("1.50", "USD"), limit("1.5", "USD"), "the same limit, however it is written");
    }
}
