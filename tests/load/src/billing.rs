//! Estimates in the process and over gRPC, and the memory of the price book.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sampan_billing_service::{Billing, PriceBook};
use sampan_core::clock;
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
use sampan_proto::billing::v1::billing_estimator_service_server::{
    BillingEstimatorService, BillingEstimatorServiceServer,
};
use sampan_proto::image::v1::Cloud;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::child::{Server, own_memory_mib};
use crate::stats::{Latencies, Spread, line};

const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 64;
/// Books that are loaded at once, so that the growth of one shows.
const BOOKS: usize = 20;

/// Prints everything about estimates.
pub async fn print(sampan: &Path, rounds: usize) -> Result<()> {
    println!("estimates");
    load()?;
    in_process(rounds)?;
    over_grpc(sampan, rounds).await
}

fn load() -> Result<()> {
    let first = PriceBook::built_in()?;
    let (before, begun) = (own_memory_mib(), Instant::now());
    let books = (0..BOOKS).map(|_| PriceBook::built_in()).collect::<Result<Vec<_>, _>>()?;
    let took = begun.elapsed().as_secs_f64() * 1e3 / BOOKS as f64;
    let grown = (own_memory_mib() - before) / BOOKS as f64;
    black_box((first, books));
    line("price book, load, ms", format!("{took:.2}"), "");
    line("price book, memory, MiB", format!("{grown:.2}"), "");
    Ok(())
}

/// One core, the whole way from a request message to an answer message.
fn in_process(rounds: usize) -> Result<()> {
    let billing = Billing::new(Arc::new(PriceBook::built_in()?), clock::system());
    let request = request();
    let (mut rates, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (mut latencies, until) = (Vec::new(), Instant::now() + ROUND);
        while Instant::now() < until {
            let begun = Instant::now();
            let answer = billing.estimate_export(black_box(&request));
            latencies.push(begun.elapsed());
            anyhow::ensure!(black_box(answer).is_ok(), "an estimate was refused");
        }
        let latencies = Latencies::new(latencies);
        rates.push(latencies.len() as f64 / ROUND.as_secs_f64());
        p50.push(latencies.quantile_us(0.5));
        p99.push(latencies.quantile_us(0.99));
    }
    line("in the process, one core, per second", format!("{:.0}", Spread::of(&rates)), "");
    line("  p50, µs", format!("{:.1}", Spread::of(&p50)), "less than 20 µs");
    line("  p99, µs", format!("{:.1}", Spread::of(&p99)), "");
    Ok(())
}

async fn over_grpc(sampan: &Path, rounds: usize) -> Result<()> {
    let this = std::env::current_exe()?;
    let (mut bare, mut ours) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        let server = Server::start(&this, &["billing-baseline"]).await?;
        let (rate, p99) = round(&server).await?;
        bare.0.push(rate);
        bare.1.push(p99);
        server.stop().await?;
        let server = Server::start(sampan, &["serve", "--listen", "127.0.0.1:0", "--store", "memory"]).await?;
        let (rate, p99) = round(&server).await?;
        ours.0.push(rate);
        ours.1.push(p99);
        server.stop().await?;
    }
    line("bare tonic with the same messages, per second", format!("{:.0}", Spread::of(&bare.0)), "");
    line("sampan, per second", format!("{:.0}", Spread::of(&ours.0)), "");
    line("  of bare tonic", Spread::of_ratios(&ours.0, &bare.0), "at least 0.9");
    line("  p99, µs", format!("{:.0}", Spread::of(&ours.1)), "");
    line("  p99 of bare tonic", Spread::of_ratios(&ours.1, &bare.1), "");
    Ok(())
}

/// Returns calls per second and p99 in µs.
async fn round(server: &Server) -> Result<(f64, f64)> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(Channel::from_shared(server.url())?.connect().await?);
    }
    let until = Instant::now() + ROUND;
    let mut work = JoinSet::new();
    for index in 0..IN_FLIGHT {
        let mut client = BillingEstimatorServiceClient::new(channels[index % channels.len()].clone());
        work.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let begun = Instant::now();
                client.estimate_export(request()).await?;
                latencies.push(begun.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = work.join_next().await {
        all.extend(done??);
    }
    let latencies = Latencies::new(all);
    Ok((latencies.len() as f64 / ROUND.as_secs_f64(), latencies.quantile_us(0.99)))
}

fn request() -> pb::EstimateExportRequest {
    let disk = |gib: i64| pb::DiskSize { capacity_bytes: gib << 30, used_bytes: None };
    pb::EstimateExportRequest {
        cloud: Cloud::Tencent.into(),
        site: pb::Site::Intl.into(),
        region: "ap-guangzhou".to_owned(),
        storage_class: "STANDARD".to_owned(),
        disks: vec![disk(50), disk(200)],
        keep_for: Some(prost_types::Duration { seconds: 30 * 86_400, nanos: 0 }),
        downloads: Some(pb::Downloads { public_count: 1, ..pb::Downloads::default() }),
        ..pb::EstimateExportRequest::default()
    }
}

/// Answers every request with the same message: what tonic costs without the estimating.
#[derive(Debug)]
struct Bare {
    answer: pb::EstimateExportResponse,
}

#[tonic::async_trait]
impl BillingEstimatorService for Bare {
    async fn estimate_export(
        &self,
        _request: Request<pb::EstimateExportRequest>,
    ) -> Result<Response<pb::EstimateExportResponse>, Status> {
        Ok(Response::new(self.answer.clone()))
    }

    async fn estimate_copy(
        &self,
        _request: Request<pb::EstimateCopyRequest>,
    ) -> Result<Response<pb::EstimateCopyResponse>, Status> {
        Ok(Response::new(pb::EstimateCopyResponse::default()))
    }

    async fn estimate_download(
        &self,
        _request: Request<pb::EstimateDownloadRequest>,
    ) -> Result<Response<pb::EstimateDownloadResponse>, Status> {
        Ok(Response::new(pb::EstimateDownloadResponse::default()))
    }

    async fn list_prices(
        &self,
        _request: Request<pb::ListPricesRequest>,
    ) -> Result<Response<pb::ListPricesResponse>, Status> {
        Ok(Response::new(pb::ListPricesResponse::default()))
    }
}

/// Serves the baseline until it is killed; prints the same ready line as Sampan.
pub async fn serve() -> Result<()> {
    let billing = Billing::new(Arc::new(PriceBook::built_in()?), clock::system());
    let answer = billing.estimate_export(&request()).map_err(|problem| anyhow::anyhow!("{}", problem.message()))?;
    // As any careful server does: without it, an answer waits for the acknowledgement of the one before.
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    let url = format!("http://{}", incoming.local_addr()?);
    println!("{}", serde_json::json!({ "ready": true, "listeners": [{ "url": url }] }));
    tonic::transport::Server::builder()
        .add_service(BillingEstimatorServiceServer::new(Bare { answer }))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
