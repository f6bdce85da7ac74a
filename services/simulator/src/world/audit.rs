//! Decides what is remembered of every call.

use std::collections::VecDeque;

use jiff::Timestamp;
use sampan_core::Cloud;
use serde::Serialize;

/// Calls that are remembered; older ones fall out, so that a simulator left running does not grow for ever.
const REMEMBERED: usize = 200_000;

/// One call, before its outcome is known.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// The cloud that was called.
    pub cloud: Cloud,
    /// The caller's account number; empty when the caller could not be identified.
    pub account: String,
    /// Region of the call; empty when it has none.
    pub region: String,
    /// Vendor action, or `HeadBucket`, `HeadObject`, `GetObject`, `ListObjects` for buckets of both clouds.
    pub action: String,
    /// True when the call would change something if it is accepted.
    pub mutating: bool,
    /// The vendor's request id, as the caller saw it (or would have).
    pub request_id: String,
    /// Image that the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Bucket that the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Object that the call is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Regions that the call copies to, as it named them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<String>,
    /// True when the call asked for a check only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Call {
    /// Describes a reading call without subject; set the other fields as they become known.
    pub fn new(cloud: Cloud, action: impl Into<String>, request_id: impl Into<String>) -> Self {
        Self {
            cloud,
            account: String::new(),
            region: String::new(),
            action: action.into(),
            mutating: false,
            request_id: request_id.into(),
            image: None,
            bucket: None,
            key: None,
            destinations: Vec::new(),
            dry_run: false,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted and answered.
    Ok,
    /// Refused with this vendor code.
    Code(String),
    /// Accepted, and the connection was cut before the answer.
    Lost,
    /// The connection was cut before anything happened (or in the middle of a body).
    Reset,
}

impl Outcome {
    /// Returns the word of the audit log: `ok`, the vendor's code, `lost` or `reset`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => "ok",
            Self::Code(code) => code,
            Self::Lost => "lost",
            Self::Reset => "reset",
        }
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct AuditLine {
    /// Number of the call since the start or the last reset, from 1.
    pub seq: u64,
    /// Time of the call, on the world's clock.
    pub at: Timestamp,
    /// What was called.
    #[serde(flatten)]
    pub call: Call,
    /// How it ended.
    pub outcome: String,
    /// Calendar day of UTC+8 that a mutating call counts for.
    pub quota_day: String,
}

/// The calls since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct AuditLog {
    last_seq: u64,
    lines: VecDeque<AuditLine>,
}

impl AuditLog {
    pub(super) fn push(&mut self, at: Timestamp, quota_day: String, call: Call, outcome: &Outcome) -> u64 {
        self.last_seq += 1;
        if self.lines.len() == REMEMBERED {
            self.lines.pop_front();
        }
        self.lines.push_back(AuditLine {
            seq: self.last_seq,
            at,
            call,
            outcome: outcome.as_str().to_owned(),
            quota_day,
        });
        self.last_seq
    }

    pub(super) fn lines(&self) -> Vec<AuditLine> {
        self.lines.iter().cloned().collect()
    }
}
