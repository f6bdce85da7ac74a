//! The command line's connection to a server, and how a refusal is told to a person.

mod refusal;

use std::time::Duration;

use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use sampan_proto::copy::v1::copy_service_client::CopyServiceClient;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_proto::quota::v1::quota_service_client::QuotaServiceClient;
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use tonic::transport::{Channel, Endpoint};

pub use refusal::Failure;

use crate::exit::Exit;

/// A connection to a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// Connects to `endpoint`.
    ///
    /// # Errors
    /// [`Failure`] with [`Exit::Usage`] for a malformed address, [`Exit::Unavailable`] when nobody answers.
    pub async fn connect(endpoint: &str) -> Result<Self, Failure> {
        let address = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| {
            Failure::new(Exit::Usage, format!("`{endpoint}` is no address: {error}"))
                .advice("use the form http://HOST:PORT")
        })?;
        let address =
            address.connect_timeout(Duration::from_secs(5)).http2_keep_alive_interval(Duration::from_secs(20));
        let channel = address.connect().await.map_err(|_| {
            Failure::new(Exit::Unavailable, format!("no server answers at {endpoint}"))
                .advice("start one with `sampan serve`, or name another with --endpoint")
        })?;
        Ok(Self { channel })
    }

    /// Returns the export service.
    pub fn exports(&self) -> ExportServiceClient<Channel> {
        ExportServiceClient::new(self.channel.clone())
    }

    /// Returns the copy service.
    pub fn copies(&self) -> CopyServiceClient<Channel> {
        CopyServiceClient::new(self.channel.clone())
    }

    /// Returns the share service.
    pub fn shares(&self) -> ShareServiceClient<Channel> {
        ShareServiceClient::new(self.channel.clone())
    }

    /// Returns the billing estimator.
    pub fn billing(&self) -> BillingEstimatorServiceClient<Channel> {
        BillingEstimatorServiceClient::new(self.channel.clone())
    }

    /// Returns the operation service.
    pub fn operations(&self) -> OperationServiceClient<Channel> {
        OperationServiceClient::new(self.channel.clone())
    }

    /// Returns the quota service.
    pub fn quotas(&self) -> QuotaServiceClient<Channel> {
        QuotaServiceClient::new(self.channel.clone())
    }
}

/// Returns `operations/<uuid>` whether or not the caller wrote the prefix.
pub fn operation_name(text: &str) -> String {
    if text.starts_with("operations/") { text.to_owned() } else { format!("operations/{text}") }
}
