//! What the clouds saw: the simulator's audit log and what tests ask of it.

use serde::Deserialize;

use crate::spec::Lane;

/// One call to a cloud.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditLine {
    /// Number of the call.
    pub seq: u64,
    /// `tencent` or `alibaba`.
    pub cloud: String,
    /// Account number at the cloud.
    pub account: String,
    /// Region of the call.
    pub region: String,
    /// The vendor's action.
    pub action: String,
    /// Whether it changes something when it is accepted.
    pub mutating: bool,
    /// `ok`, the vendor's code, `lost` or `reset`.
    pub outcome: String,
    /// Image that it was about.
    #[serde(default)]
    pub image: Option<String>,
    /// Bucket that it was about.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Object that it was about.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether it only asked for a check.
    #[serde(default)]
    pub dry_run: bool,
    /// Day of UTC+8 that the cloud counted it on.
    #[serde(default)]
    pub quota_day: String,
}

impl AuditLine {
    /// Returns whether the cloud accepted it, whether or not the answer arrived.
    pub fn is_accepted(&self) -> bool {
        self.outcome == "ok" || self.outcome == "lost"
    }

    /// Returns whether it asked a cloud to start an export.
    pub fn is_export(&self) -> bool {
        !self.dry_run && matches!(self.action.as_str(), "ExportImage" | "ExportImages")
    }
}

/// The calls that the clouds saw.
#[derive(Debug, Clone)]
pub struct Seen(pub Vec<AuditLine>);

impl Seen {
    /// Returns every call that changed something, or would have if it had been accepted.
    pub fn mutating(&self) -> Vec<&AuditLine> {
        self.0.iter().filter(|line| line.mutating && !line.dry_run).collect()
    }

    /// Returns how many exports of `image` the cloud of `lane` accepted.
    pub fn accepted_exports(&self, lane: &Lane, image: &str) -> usize {
        let wanted = |line: &&AuditLine| {
            line.cloud == lane.cloud.as_str()
                && line.is_export()
                && line.is_accepted()
                && line.image.as_deref() == Some(image)
        };
        self.0.iter().filter(wanted).count()
    }

    /// Returns the calls of one action, oldest first.
    pub fn of(&self, action: &str) -> Vec<&AuditLine> {
        self.0.iter().filter(|line| line.action == action).collect()
    }
}
