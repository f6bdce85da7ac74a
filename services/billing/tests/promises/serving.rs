//! The gRPC face: the same answers over a socket, refusals as statuses with their details.

use sampan_billing_service::Service;
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};

use super::asking::{billing, copy, download, export};

/// A client of a fresh server, which ends with the returned guard.
async fn serve() -> (BillingEstimatorServiceClient<Channel>, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let server = Server::builder().add_service(Service::new(billing()).into_server());
        server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
    });
    (BillingEstimatorServiceClient::connect(format!("http://{address}")).await.unwrap(), tasks)
}

#[tokio::test]
async fn every_method_answers_as_it_does_in_the_process() {
    let (mut client, _tasks) = serve().await;
    let answer = client.estimate_export(export()).await.unwrap().into_inner();
    assert_eq!(answer, billing().estimate_export(&export()).unwrap());
    let answer = client.estimate_copy(copy()).await.unwrap().into_inner();
    assert_eq!(answer, billing().estimate_copy(&copy()).unwrap());
    let answer = client.estimate_download(download()).await.unwrap().into_inner();
    assert_eq!(answer, billing().estimate_download(&download()).unwrap());
    let all = pb::ListPricesRequest { page_size: 1_000, ..Default::default() };
    let answer = client.list_prices(all.clone()).await.unwrap().into_inner();
    assert_eq!(answer, billing().list_prices(&all).unwrap());
}

#[tokio::test]
async fn a_refusal_carries_its_reason_and_every_field() {
    use tonic_types::StatusExt as _;
    let (mut client, _tasks) = serve().await;
    let request = pb::EstimateExportRequest { site: 9, region: "ap-atlantis".into(), ..export() };
    let status = client.estimate_export(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "SITE_UNKNOWN");
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["site", "region"]);
}
