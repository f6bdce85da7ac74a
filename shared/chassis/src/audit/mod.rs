//! Where audit records are kept, and which requests are recorded as refused.
//!
//! | part | decides | file |
//! |---|---|---|
//! | file | when a record is on disk, and which file that is | `file.rs` |
//! | collector | how a record looks as an OTLP log | `collector.rs` |
//! | refusals | which refused requests are recorded, and when new work is refused | `refusals.rs` |
//!
//! What a record holds is decided in [`sampan_cloud::audit`].

mod collector;
pub mod file;
pub mod refusals;

pub use collector::Collector;
pub use file::AuditFile;
pub use refusals::{Named, Refusals};

use async_trait::async_trait;
use sampan_cloud::audit::{AuditError, AuditLog, AuditRecord};

/// Keeps records in every place that is configured.
///
/// The file alone decides whether a call may be made: what a collector has taken is in memory until it was sent.
#[derive(Debug, Default)]
pub struct Places {
    /// The file.
    pub file: Option<AuditFile>,
    /// The collector.
    pub collector: Option<Collector>,
}

impl Places {
    /// Returns whether records are kept nowhere.
    pub fn is_empty(&self) -> bool {
        self.file.is_none() && self.collector.is_none()
    }

    /// Returns when everything that was noted before is kept; at the end of a process.
    pub async fn flush(&self) {
        if let Some(file) = &self.file {
            file.flush().await;
        }
        if let Some(collector) = &self.collector {
            collector.flush().await;
        }
    }
}

#[async_trait]
impl AuditLog for Places {
    async fn announce(&self, record: &AuditRecord) -> Result<(), AuditError> {
        if let Some(file) = &self.file {
            file.announce(record).await?;
        }
        if let Some(collector) = &self.collector {
            collector.note(record);
        }
        Ok(())
    }

    fn note(&self, record: &AuditRecord) {
        if let Some(file) = &self.file {
            file.note(record);
        }
        if let Some(collector) = &self.collector {
            collector.note(record);
        }
    }

    fn is_failing(&self) -> bool {
        self.file.as_ref().is_some_and(AuditFile::is_failing)
    }
}
