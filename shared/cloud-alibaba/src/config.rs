//! Decides what an account of Alibaba Cloud is made of.

use std::sync::Arc;

use reqsign_file_read_tokio::TokioFileRead;
use sampan_cloud::stack::{
    CallPolicy, CredentialCache, Pacer, RetryBudget, Stack, StackParts, Transport, credential_context,
};
use sampan_cloud::{BucketStore, ImageCloud};
use sampan_core::SharedClock;

use crate::credentials::CredentialSource;
use crate::ecs::{Ecs, EcsDecoder};
use crate::hosts::{BadEndpoint, Endpoints, Hosts};
use crate::image_cloud::AlibabaImages;
use crate::oss::{AlibabaBuckets, OssDecoder};
use crate::sign::{EcsSigner, OssSigner, Pen};

/// Image calls and bucket calls of one account.
pub type Clients = (Arc<dyn ImageCloud>, Arc<dyn BucketStore>);

/// Everything that the clients of one account need to know.
#[derive(Debug, Clone)]
pub struct AlibabaConfig {
    /// Where the credentials come from.
    pub credentials: CredentialSource,
    /// Addresses that replace the vendor's own.
    pub endpoints: Endpoints,
    /// Time for signatures and for the age of credentials.
    pub clock: SharedClock,
    /// Times of a call.
    pub policy: CallPolicy,
    /// Whether [`ImageCloud::check_export`] asks the cloud by a trial run (`DryRun`).
    ///
    /// Off by default: the parameter is in the newest SDK and on no page yet, and a backend that does not know it
    /// would start an export. When one does, the export is cancelled and the check fails.
    pub trial_runs: bool,
}

impl AlibabaConfig {
    /// Describes an account at the vendor's public hosts, with the usual times.
    pub fn new(credentials: CredentialSource, clock: SharedClock) -> Self {
        Self { credentials, endpoints: Endpoints::default(), clock, policy: CallPolicy::default(), trial_runs: false }
    }

    /// Builds the clients over `transport`. No call is made, and no credentials are fetched.
    ///
    /// # Errors
    /// [`BadEndpoint`] when an address cannot be used.
    pub fn build(&self, transport: &Transport) -> Result<Clients, BadEndpoint> {
        let hosts = Arc::new(Hosts::new(&self.endpoints)?);
        let context = credential_context(transport).with_file_read(TokioFileRead);
        let cache = CredentialCache::new(context, self.credentials.provider(), Arc::clone(&self.clock));
        let pen = Pen { credentials: Arc::new(cache), clock: Arc::clone(&self.clock) };
        let budget = Arc::new(RetryBudget::default());
        let pacer = Arc::new(Pacer::default());
        let ecs = StackParts {
            signer: Arc::new(EcsSigner(pen.clone())),
            decoder: Arc::new(EcsDecoder),
            budget: Arc::clone(&budget),
            pacer: Arc::clone(&pacer),
            policy: self.policy.clone(),
        };
        let oss = StackParts {
            signer: Arc::new(OssSigner { pen: pen.clone(), hosts: Arc::clone(&hosts) }),
            decoder: Arc::new(OssDecoder),
            budget,
            pacer,
            policy: self.policy.clone(),
        };
        let ecs = Ecs { stack: Stack::new(ecs, transport.clone()), hosts: Arc::clone(&hosts) };
        let images = AlibabaImages::new(ecs, self.trial_runs);
        let buckets = AlibabaBuckets { stack: Stack::new(oss, transport.clone()), hosts, pen };
        Ok((Arc::new(images), Arc::new(buckets)))
    }
}
