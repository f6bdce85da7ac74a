//! `sampan doctor`: looks at everything that a configuration needs, and says what to mend.

mod accounts;
mod ground;
mod peers;
mod records;
mod security;

use serde_json::json;

use super::export::output_failure;
use crate::cli::{DoctorArgs, Output};
use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{style, words};

/// Checks a configuration. Everything is looked at, whatever else is wrong.
///
/// # Errors
/// [`Failure`] when the configuration cannot be read.
pub async fn doctor(args: DoctorArgs) -> Result<Exit, Failure> {
    let mut config = Config::load(&args.serving()).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    // Who asks wants to know now what is wrong, not after a minute of patience with it.
    config.cloud_calls.max_attempts = config.cloud_calls.max_attempts.min(2);
    let examined = Examined { args: &args, config: &config };
    let mut findings = security::check(&examined).await;
    let (store, of_store) = ground::check(&examined).await;
    findings.extend(of_store);
    findings.extend(accounts::check(&examined, store.as_ref()).await);
    findings.extend(records::check(&examined).await);
    findings.extend(peers::check(&examined).await);
    let exit = if findings.iter().all(Finding::is_well) { Exit::Done } else { Exit::Failed };
    match args.output {
        Output::Json => words::line(&as_json(&findings).to_string()),
        Output::Table => print(&findings),
    }
    .map_err(output_failure)?;
    Ok(exit)
}

/// What is examined.
struct Examined<'a> {
    args: &'a DoctorArgs,
    config: &'a Config,
}

impl Examined<'_> {
    /// Waits for a check, and no longer than the person wants to.
    async fn within<T>(&self, check: impl Future<Output = Result<T, Wrong>>) -> Result<T, Wrong> {
        tokio::time::timeout(self.args.timeout, check).await.unwrap_or_else(|_| {
            let what = format!("no answer within {}", words::duration(self.args.timeout));
            Err(Wrong::new(what, "see that the address is right and that no firewall is in between"))
        })
    }
}

/// What one check has found.
struct Finding {
    check: &'static str,
    subject: String,
    outcome: Result<String, Wrong>,
}

/// What is wrong, and what to mend.
struct Wrong {
    what: String,
    mend: String,
}

impl Wrong {
    fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: mend.into() }
    }

    /// Takes what a part of the program says when it cannot start.
    fn of(failure: &Failure, mend: &str) -> Self {
        Self::new(failure.message.clone(), failure.advice.clone().unwrap_or_else(|| mend.to_owned()))
    }
}

impl Finding {
    fn new(check: &'static str, subject: impl Into<String>, outcome: Result<String, Wrong>) -> Self {
        Self { check, subject: subject.into(), outcome }
    }

    fn is_well(&self) -> bool {
        self.outcome.is_ok()
    }
}

fn print(findings: &[Finding]) -> anyhow::Result<()> {
    let longest = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    for Finding { check, subject, outcome } in findings {
        let (word, found) = match outcome {
            Ok(found) => (style::good("ok   "), found),
            Err(wrong) => (style::bad("wrong"), &wrong.what),
        };
        words::paragraph(&format!("{word}  {check:longest$}  "), &format!("{subject}: {found}"))?;
        if let Err(wrong) = outcome {
            words::paragraph(&format!("{:width$}to mend: ", "", width = longest + 9), &wrong.mend)?;
        }
    }
    let wrong = findings.iter().filter(|finding| !finding.is_well()).count();
    match wrong {
        0 => words::line("all is well"),
        wrong => words::line(&format!("{wrong} of {} checks found something to mend", findings.len())),
    }
}

fn as_json(findings: &[Finding]) -> serde_json::Value {
    let checks: Vec<_> = findings
        .iter()
        .map(|Finding { check, subject, outcome }| match outcome {
            Ok(found) => json!({ "check": check, "subject": subject, "ok": true, "found": found }),
            Err(Wrong { what, mend }) => {
                json!({ "check": check, "subject": subject, "ok": false, "found": what, "remedy": mend })
            }
        })
        .collect();
    json!({ "ok": findings.iter().all(Finding::is_well), "checks": checks })
}
