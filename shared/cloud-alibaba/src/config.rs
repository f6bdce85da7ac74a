//! Decides what an account of Alibaba Cloud is made of.

use sampan_cloud::audit::AuditTrail;
use sampan_cloud::stack::{CallPolicy, Transport};
use sampan_core::SharedClock;

use crate::credentials::CredentialSource;
use crate::hosts::Endpoints;

/// Everything that the clients of one account need to know.
#[derive(Debug, Clone)]
pub struct AlibabaConfig {
    /// Where the credentials come from.
    pub credentials: CredentialSource,
    /// Addresses that replace the vendor's own.
    pub endpoints: Endpoints,
    /// Time for signatures and for the age of credentials.
    pub clock: SharedClock,
    /// Attempts and times of a call.
    pub policy: CallPolicy,
    /// Whether [`check_export`](sampan_cloud::ImageCloud::check_export) asks the cloud by a trial run (`DryRun`).
    ///
    /// Off by default: the parameter is in the newest SDK and on no page yet, and a backend that does not know it
    /// would start an export. When one does, the export is cancelled and the check fails.
    pub trial_runs: bool,
    /// Connections; one transport serves every account of a process.
    pub transport: Transport,
    /// Records calls that change something; `None` keeps no records.
    pub audit: Option<AuditTrail>,
}

impl AlibabaConfig {
    /// Describes an account at the vendor's public hosts, with the default policy and connections of its own.
    pub fn new(credentials: CredentialSource, clock: SharedClock) -> Self {
        Self {
            credentials,
            endpoints: Endpoints::default(),
            clock,
            policy: CallPolicy::default(),
            trial_runs: false,
            transport: Transport::new(),
            audit: None,
        }
    }
}
