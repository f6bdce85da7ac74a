//! Turns a gRPC status into words and an exit code.

use std::error::Error as _;
use std::fmt::Write as _;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::exit::Exit;

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

    /// Returns the failure as a person reads it.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}", self.message);
        if let Some(reason) = &self.reason {
            let _ = write!(text, " [{reason}]");
        }
        for detail in &self.details {
            let _ = write!(text, "\n  - {detail}");
        }
        if let Some(advice) = &self.advice {
            let _ = write!(text, "\n  what to do: {advice}");
        }
        text
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
        // Who speaks no TLS to a server that does, or shows it no certificate, learns it only with the first call.
        if let Some(cause) = status.source() {
            return Self::new(
                Exit::Unavailable,
                format!("the connection broke: {}", super::connection::innermost(cause)),
            )
            .advice("a server with TLS has an address with https://, and may ask for a certificate (--tls-cert)");
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
        // One line that only repeats the message tells nothing new.
        if lines.len() == 1 && lines.first().is_some_and(|line| status.message().contains(line.as_str())) {
            lines.clear();
        }
        if let Some(wait) = details.retry_info().and_then(|info| info.retry_delay).filter(|wait| wait.as_secs() > 1) {
            lines.push(format!("try again in {}", crate::output::words::duration(wait)));
        }
        Self {
            exit: exit(status.code()),
            message: if status.message().is_empty() {
                format!("{:?}", status.code())
            } else {
                status.message().to_owned()
            },
            reason: info.map(|info| info.reason.clone()),
            details: lines,
            advice: info.and_then(|info| info.metadata.get("remedy").cloned()),
        }
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
