//! The generated clients of one server, and the few words that tests say most.

use std::time::Duration;

use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use sampan_proto::copy::v1 as copy_pb;
use sampan_proto::copy::v1::copy_service_client::CopyServiceClient;
use sampan_proto::export::v1 as export_pb;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_proto::quota::v1 as quota_pb;
use sampan_proto::quota::v1::quota_service_client::QuotaServiceClient;
use sampan_proto::share::v1 as share_pb;
use sampan_proto::share::v1::share_service_client::ShareServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::refusal::Refusal;
use crate::spec::{Lane, duration, request};

/// Longest wait for an operation of a test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the services are that a caller uses.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// URL of exports.
    pub export: &'a str,
    /// URL of copies.
    pub copy: &'a str,
    /// URL of shares.
    pub share: &'a str,
    /// URL of estimates.
    pub billing: &'a str,
    /// URL of operations and quotas, which every process has.
    pub common: &'a str,
}

/// The clients of all services, on one server or on several.
#[derive(Debug, Clone)]
pub struct Api {
    /// The connection of operations, for services that have no client here.
    pub channel: Channel,
    /// Exports.
    pub export: ExportServiceClient<Channel>,
    /// Copies.
    pub copies: CopyServiceClient<Channel>,
    /// Shares.
    pub shares: ShareServiceClient<Channel>,
    /// Estimates.
    pub billing: BillingEstimatorServiceClient<Channel>,
    /// Operations.
    pub operations: OperationServiceClient<Channel>,
    /// Quotas.
    pub quotas: QuotaServiceClient<Channel>,
}

impl Api {
    /// Makes the clients of one server, over one connection; connects at the first call.
    pub fn at(url: &str) -> Self {
        let channel = connection(url);
        Self {
            export: ExportServiceClient::new(channel.clone()),
            copies: CopyServiceClient::new(channel.clone()),
            shares: ShareServiceClient::new(channel.clone()),
            billing: BillingEstimatorServiceClient::new(channel.clone()),
            operations: OperationServiceClient::new(channel.clone()),
            quotas: QuotaServiceClient::new(channel.clone()),
            channel,
        }
    }

    /// Makes the clients of services in different places; connects at the first calls.
    pub fn of(places: &Places<'_>) -> Self {
        Self {
            export: ExportServiceClient::new(connection(places.export)),
            copies: CopyServiceClient::new(connection(places.copy)),
            shares: ShareServiceClient::new(connection(places.share)),
            billing: BillingEstimatorServiceClient::new(connection(places.billing)),
            ..Self::at(places.common)
        }
    }

    /// Previews an export.
    pub async fn preview(&self, spec: export_pb::ExportSpec) -> export_pb::PreviewExportResponse {
        let request = export_pb::PreviewExportRequest { spec: Some(spec) };
        self.export.clone().preview_export(request).await.expect("a preview").into_inner()
    }

    /// Starts an export with a fresh request id.
    pub async fn start(&self, spec: export_pb::ExportSpec) -> pb::Operation {
        self.send(request(spec)).await.expect("the start is accepted")
    }

    /// Sends a start.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn send(&self, request: export_pb::ExportImageRequest) -> Result<pb::Operation, Status> {
        let response = self.export.clone().export_image(request).await?.into_inner();
        Ok(response.operation.expect("an operation"))
    }

    /// Sends the start of a copy.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn send_copy(&self, request: copy_pb::CopyImageRequest) -> Result<pb::Operation, Status> {
        let response = self.copies.clone().copy_image(request).await?.into_inner();
        Ok(response.operation.expect("an operation"))
    }

    /// Sends the start of a share.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn send_share(&self, request: share_pb::ShareImageRequest) -> Result<pb::Operation, Status> {
        let response = self.shares.clone().share_image(request).await?.into_inner();
        Ok(response.operation.expect("an operation"))
    }

    /// Sends a start that must be refused.
    pub async fn refused(&self, request: export_pb::ExportImageRequest) -> Refusal {
        Refusal::of(&self.send(request).await.expect_err("the start is refused"))
    }

    /// Returns an operation.
    pub async fn get(&self, name: &str) -> pb::Operation {
        let request = pb::GetOperationRequest { name: name.to_owned() };
        let response = self.operations.clone().get_operation(request).await.expect("the operation").into_inner();
        response.operation.expect("an operation")
    }

    /// Returns an operation at its end.
    pub async fn ended(&self, name: &str) -> pb::Operation {
        let operation = self.wait(name, PATIENCE).await;
        assert!(operation.done, "not done after {PATIENCE:?}: {operation:#?}");
        operation
    }

    /// Waits for the end of an operation for at most `timeout`.
    pub async fn wait(&self, name: &str, timeout: Duration) -> pb::Operation {
        let request = pb::WaitOperationRequest { name: name.to_owned(), timeout: Some(duration(timeout)) };
        let response = self.operations.clone().wait_operation(request).await.expect("the wait").into_inner();
        response.operation.expect("an operation")
    }

    /// Follows an operation until a state satisfies `wanted`, or its end.
    pub async fn until(&self, name: &str, wanted: impl Fn(&pb::Operation) -> bool) -> pb::Operation {
        let request = pb::WatchOperationRequest { name: name.to_owned(), from_revision: None };
        let mut states = self.operations.clone().watch_operation(request).await.expect("the watch").into_inner();
        let follow = async {
            loop {
                let message = states.message().await.expect("the watch goes on").expect("the state comes");
                let operation = message.operation.expect("an operation");
                if wanted(&operation) {
                    return operation;
                }
                assert!(!operation.done, "it ended before: {operation:#?}");
            }
        };
        tokio::time::timeout(PATIENCE, follow).await.expect("the state comes in time")
    }

    /// Returns the operations of a list, newest first.
    pub async fn list(&self, request: pb::ListOperationsRequest) -> pb::ListOperationsResponse {
        self.operations.clone().list_operations(request).await.expect("a list").into_inner()
    }

    /// Asks an operation to stop.
    pub async fn cancel(&self, name: &str, remove_result: bool) -> pb::Operation {
        let request = pb::CancelOperationRequest { name: name.to_owned(), remove_result };
        let response = self.operations.clone().cancel_operation(request).await.expect("the cancel").into_inner();
        response.operation.expect("an operation")
    }

    /// Returns the quota of a lane.
    pub async fn quota(&self, lane: &Lane) -> quota_pb::Quota {
        let request = quota_pb::GetQuotaRequest {
            cloud: lane.wire_cloud(),
            account: lane.account.to_owned(),
            region: lane.region.to_owned(),
        };
        let response = self.quotas.clone().get_quota(request).await.expect("the quota").into_inner();
        response.quota.expect("a quota")
    }
}

fn connection(url: &str) -> Channel {
    Endpoint::from_shared(url.to_owned()).expect("a URL").connect_lazy()
}
