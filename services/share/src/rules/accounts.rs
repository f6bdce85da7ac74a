//! Rules about the accounts of a request: the one place where a request's targets are checked.
//!
//! Whoever restricts which accounts images may be shared with adds the rule to [`check`]: starts, previews and shares
//! that follow copies all pass here.

use std::collections::BTreeSet;

use sampan_core::finding::{Finding, OWN, shown};
use sampan_core::limits::Limits;
use sampan_core::{Cloud, Reason};

use super::sources;
use crate::plan::Difference;
use crate::spec::{Change, Ground, ShareSpec};

const FIELD: &str = "spec.account_ids";
/// Longest number of an account that either cloud is known to give out, with room to grow.
const MAX_DIGITS: usize = 20;
/// Accounts that one answer finds fault with; a caller who sends more has mistaken the field.
const MAX_TOLD: usize = 100;

/// Returns every rule that the accounts break by themselves, in the order of the request.
pub fn check(spec: &ShareSpec, ground: Ground<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = [empty(spec), too_many(spec, ground.limits)].into_iter().flatten().collect();
    let own = ground.accounts.get(&spec.account).and_then(|account| account.number.as_deref());
    let mut seen = BTreeSet::new();
    for (index, account) in spec.account_ids.iter().enumerate() {
        let field = format!("{FIELD}[{index}]");
        let checks = [form(spec.cloud, &field, account), own_account(spec, &field, account, own)];
        findings.extend(checks.into_iter().flatten());
        if !seen.insert(account) {
            findings.push(repeated(&field, account));
        }
    }
    findings.truncate(MAX_TOLD);
    findings
}

/// Returns what the accounts break together with the live list.
pub fn against_list(
    spec: &ShareSpec,
    difference: &Difference,
    live: &BTreeSet<String>,
    limits: &Limits,
) -> Option<Finding> {
    if difference.add.is_empty() {
        return None;
    }
    let limit = limits.number(spec.cloud, "share.accounts")?;
    let after = count(live.len() + difference.add.len()).saturating_sub(count(difference.remove.len()));
    let value = limit.value.filter(|value| after > *value)?;
    let already = live.len();
    Finding::new(Reason::ShareQuotaSpent, FIELD)
        .message(format!(
            "the image would be shared with {after} accounts: it is shared with {already} now, and {} come anew",
            difference.add.len()
        ))
        .fix(format!(
            "End shares that nobody needs, so that {value} remain at most; raise the limit by configuration if the \
             cloud gives your account a higher one"
        ))
        .by_limit(spec.cloud, limit, after)
}

fn empty(spec: &ShareSpec) -> Option<Finding> {
    match spec.change {
        // An empty list is a list: it takes the image back from everybody.
        Change::Set => None,
        Change::Add | Change::Remove => spec.account_ids.is_empty().then(|| {
            let finding = Finding::new(Reason::FieldRequired, FIELD).message("the accounts are missing");
            finding.fix("Name one account or more; SET with an empty list takes the image back from everybody")
        }),
    }
}

fn too_many(spec: &ShareSpec, limits: &Limits) -> Option<Finding> {
    match spec.change {
        Change::Add | Change::Set => {}
        // What is not shared with so many cannot be taken back from so many, and does no harm either.
        Change::Remove => return None,
    }
    let limit = limits.number(spec.cloud, "share.accounts")?;
    let named = count(spec.account_ids.len());
    let value = limit.value.filter(|value| named > *value)?;
    Finding::new(Reason::ShareQuotaSpent, FIELD)
        .message(format!("{named} accounts are named"))
        .fix(format!(
            "Name {value} accounts or fewer; raise the limit by configuration if the cloud gives you a higher one"
        ))
        .by_limit(spec.cloud, limit, named)
}

fn form(cloud: Cloud, field: &str, account: &str) -> Option<Finding> {
    if looks_like_a_user(account) {
        return Some(
            Finding::new(Reason::ShareAccountNotRoot, field)
                .message(format!("`{}` names a user, a role or a sub-account", shown(account)))
                .limit("the number of a root account", shown(account))
                .source(sources::call(cloud))
                .fix("Give the number of its root account; the share reaches every user of it"),
        );
    }
    let is_number = account.chars().all(|c| c.is_ascii_digit());
    let valid = is_number && (5..=MAX_DIGITS).contains(&account.len()) && !account.starts_with('0');
    if !valid {
        let example = match cloud {
            Cloud::Tencent => "100012345678",
            Cloud::Alibaba => "1234567890123456",
        };
        return Some(
            Finding::new(Reason::ShareAccountMalformed, field)
                .message(format!("`{}` is no account number of {cloud}", shown(account)))
                .limit(format!("5 to {MAX_DIGITS} digits, the first not 0"), shown(account))
                .source(OWN)
                .fix(format!("Copy the number of the root account from the cloud's console; it looks like {example}")),
        );
    }
    None
}

/// Names of users and roles in the forms that both vendors' consoles show: mail-like logon names and resource names.
fn looks_like_a_user(account: &str) -> bool {
    account.contains(['@', ':', '/'])
}

fn own_account(spec: &ShareSpec, field: &str, account: &str, own: Option<&str>) -> Option<Finding> {
    (own == Some(account)).then(|| {
        Finding::new(Reason::ShareWithOwnAccount, field)
            .message(format!("{account} is the number of account {} itself", spec.account))
            .source(sources::refusals(spec.cloud))
            .fix("Leave it out; the owner needs no share")
    })
}

fn repeated(field: &str, account: &str) -> Finding {
    Finding::new(Reason::ShareAccountRepeated, field)
        .message(format!("{} is named more than once", shown(account)))
        .source(OWN)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
