//! The command line's connection to a server, and how a refusal is told to a person.

mod connection;
mod own;
mod refusal;

use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use sampan_proto::copy::v1::copy_service_client::CopyServiceClient;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_proto::quota::v1::quota_service_client::QuotaServiceClient;
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;

pub use connection::ShowToken;
pub use own::on_this_machine;
pub use refusal::Failure;

use crate::cli::{ClientArgs, ConnectionArgs};
use crate::config::Config;

/// What calls go through.
pub type Wire = InterceptedService<Channel, ShowToken>;

/// A connection to a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    wire: Wire,
}

impl Client {
    /// Connects to the server that a command names.
    ///
    /// # Errors
    /// As [`Client::connect_to`].
    pub async fn connect(args: &ClientArgs) -> Result<Self, Failure> {
        Self::connect_to(&args.endpoint, &args.connection).await
    }

    /// Connects to `endpoint`.
    ///
    /// # Errors
    /// [`Failure`] with [`Exit::Usage`](crate::exit::Exit::Usage) for a malformed address, token or certificate,
    /// [`Exit::Unavailable`](crate::exit::Exit::Unavailable) when nobody answers there who is to be trusted.
    pub async fn connect_to(endpoint: &str, connection: &ConnectionArgs) -> Result<Self, Failure> {
        let token = ShowToken::new(connection)?;
        let channel = connection::open(endpoint, connection).await?;
        Ok(Self { wire: InterceptedService::new(channel, token) })
    }

    /// Connects to the server that `config` makes on this machine, to ask how it is.
    ///
    /// # Errors
    /// As [`Client::connect_to`].
    pub async fn connect_to_own(config: &Config) -> Result<Self, Failure> {
        let channel = own::open(config).await?;
        Ok(Self { wire: InterceptedService::new(channel, ShowToken::default()) })
    }

    /// Returns the export service.
    pub fn exports(&self) -> ExportServiceClient<Wire> {
        ExportServiceClient::new(self.wire.clone())
    }

    /// Returns the copy service.
    pub fn copies(&self) -> CopyServiceClient<Wire> {
        CopyServiceClient::new(self.wire.clone())
    }

    /// Returns the share service.
    pub fn shares(&self) -> ShareServiceClient<Wire> {
        ShareServiceClient::new(self.wire.clone())
    }

    /// Returns the billing estimator.
    pub fn billing(&self) -> BillingEstimatorServiceClient<Wire> {
        BillingEstimatorServiceClient::new(self.wire.clone())
    }

    /// Returns the operation service.
    pub fn operations(&self) -> OperationServiceClient<Wire> {
        OperationServiceClient::new(self.wire.clone())
    }

    /// Returns the quota service.
    pub fn quotas(&self) -> QuotaServiceClient<Wire> {
        QuotaServiceClient::new(self.wire.clone())
    }

    /// Returns the health service.
    pub fn health(&self) -> HealthClient<Wire> {
        HealthClient::new(self.wire.clone())
    }
}

/// Returns `operations/<uuid>` whether or not the caller wrote the prefix.
pub fn operation_name(text: &str) -> String {
    if text.starts_with("operations/") { text.to_owned() } else { format!("operations/{text}") }
}
