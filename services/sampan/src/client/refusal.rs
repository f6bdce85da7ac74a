//! Turns a gRPC status into words and an exit code.

use std::error::Error as _;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::exit::Exit;
use crate::output::words;

/// Why a command ends without its result.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Exit code.
    pub exit: Exit,
    /// What happened.
    pub message: String,
    /// Stable reason, when the server gave one.
    pub reason: Option<String>,
    /// Further lines: every broken field or rule.
    pub details: Vec<String>,
    /// What to do.
    pub advice: Option<String>,
}

impl Failure {
    /// Makes a failure of the program itself.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), reason: None, details: Vec::new(), advice: None }
    }

    /// Says what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Returns the failure as a person reads it, in lines of that many columns.
    pub fn within(&self, columns: Option<usize>) -> String {
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(" [{reason}]"));
        let mut lines = words::wrapped("error: ", &format!("{}{reason}", self.message), columns);
        for detail in &self.details {
            lines.extend(words::wrapped("  - ", detail, columns));
        }
        // Of several faults each says itself what to do.
        if let Some(advice) = self.advice.as_ref().filter(|_| self.details.len() < 2) {
            lines.extend(words::wrapped("  what to do: ", advice, columns));
        }
        lines.join("\n")
    }

    /// Returns the failure as a program reads it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": {
                "reason": self.reason,
                "message": self.message,
                "details": self.details,
                "remedy": self.advice,
            }
        })
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        // Who speaks no TLS to a server that does, shows it no certificate, or asks a server of something else, learns it
        // only with the first call.
        if let Some(cause) = status.source() {
            return Self::new(
                Exit::Unavailable,
                format!("the connection broke: {}", super::connection::innermost(cause)),
            )
            .advice(
                "check that it is the port of `sampan serve`; a server with TLS has an address with https://, and may \
                 ask for a certificate (--tls-cert)",
            );
        }
        let details = status.get_error_details();
        let info = details.error_info();
        let mut lines: Vec<String> = Vec::new();
        if let Some(bad) = details.bad_request() {
            lines.extend(bad.field_violations.iter().map(|field| format!("{}: {}", field.field, field.description)));
        }
        if let Some(failed) = details.precondition_failure() {
            lines.extend(failed.violations.iter().map(|rule| rule.description.clone()));
        }
        let (message, fix) = once(status.message(), &mut lines);
        if let Some(wait) = details.retry_info().and_then(|info| info.retry_delay).filter(|wait| wait.as_secs() > 1) {
            lines.push(format!("try again in {}", words::duration(wait)));
        }
        Self {
            exit: exit(status.code()),
            message: if message.is_empty() { format!("{:?}", status.code()) } else { message },
            reason: info.map(|info| info.reason.clone()),
            details: lines,
            advice: fix.or_else(|| info.and_then(|info| info.metadata.get("remedy").cloned())),
        }
    }
}

/// Leaves out what message and lines say twice. Returns the message, and what to do about the one rule that is broken.
fn once(message: &str, lines: &mut Vec<String>) -> (String, Option<String>) {
    match lines.as_slice() {
        [only] if message.contains(only.as_str()) => {
            lines.clear();
            (message.to_owned(), None)
        }
        [only] => {
            let fix = only.strip_prefix(message).and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(')'));
            let fix = fix.map(str::to_owned);
            if fix.is_some() {
                lines.clear();
            }
            (message.to_owned(), fix)
        }
        // A list that begins with the first does not need a message that does, too.
        [first, ..] => match message.split_once("; the first is ") {
            Some((count, named)) if first == named => (count.to_owned(), None),
            Some(_) | None => (message.to_owned(), None),
        },
        [] => (message.to_owned(), None),
    }
}

fn exit(code: Code) -> Exit {
    match code {
        Code::Ok => Exit::Done,
        Code::ResourceExhausted => Exit::QuotaSpent,
        Code::Unavailable | Code::DeadlineExceeded => Exit::Unavailable,
        Code::Cancelled => Exit::Cancelled,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Exit::Refused,
        Code::Unknown | Code::Internal | Code::DataLoss => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use sampan_chassis::status::{FieldProblem, Problem};
    use sampan_core::finding::Finding;
    use sampan_core::{Reason, Violation};

    use super::*;

    fn text(problem: Problem) -> String {
        Failure::from(Status::from(problem)).within(None)
    }

    fn broken(message: &str, fix: &str) -> Violation {
        Finding::new(Reason::CostAboveLimit, "spec.max_cost").message(message).fix(fix).violation()
    }

    #[test]
    fn one_broken_rule_is_told_once_with_its_own_remedy() {
        let violation = broken("it may cost 9 CNY", "Raise the limit");
        let problem = Problem::violations(Reason::CostAboveLimit, violation.message.clone(), vec![violation]);
        assert_eq!(text(problem), "error: it may cost 9 CNY [COST_ABOVE_LIMIT]\n  what to do: Raise the limit");
    }

    #[test]
    fn a_refusal_keeps_within_the_terminal() {
        let told = Failure::new(Exit::Failed, "one two three").advice("four five").within(Some(16));
        assert_eq!(told, "error: one two\n       three\n  what to do: four\n              five");
    }

    #[test]
    fn one_wrong_field_is_told_once() {
        let told = text(Problem::field(Reason::FieldMalformed, "spec.bucket", "it is odd"));
        assert_eq!(told.matches("spec.bucket").count(), 1, "{told}");
    }

    #[test]
    fn of_several_wrong_fields_each_is_told_once() {
        let field = |field: &str| FieldProblem {
            field: field.to_owned(),
            reason: Reason::FieldMalformed,
            message: format!("{field} is odd"),
        };
        let told = text(Problem::fields(vec![field("a"), field("b")]));
        assert_eq!(told, "error: 2 fields are wrong [FIELD_MALFORMED]\n  - a: a is odd\n  - b: b is odd");
    }

    #[test]
    fn several_broken_rules_stay_a_list_under_their_message() {
        let rules = vec![broken("one", "x"), broken("two", "y")];
        let told = text(Problem::violations(Reason::CostAboveLimit, "2 rules are broken", rules));
        assert!(
            told.contains("2 rules are broken") && told.contains("- one (x)") && told.contains("- two (y)"),
            "{told}"
        );
    }
}
