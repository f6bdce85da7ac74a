//! Admissions over gRPC beside a bare tonic handler, with and without one durable write.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::export::v1::{ExportImageRequest, ExportSpec};
use sampan_proto::image::v1::{Cloud, ImageReference};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::child::Server;
use crate::stats::{Latencies, Spread, line};

/// How long calls are counted, and how long they are made before: a program that has just begun is slower.
pub(crate) const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 4;

/// Prints admissions per second, latencies and processor time, at 1, 64 and 256 in flight.
pub async fn print(sampan: &Path, rounds: usize) -> Result<()> {
    println!("admissions over gRPC; baselines: a bare tonic handler, and one with a durable write");
    let this = std::env::current_exe()?;
    for in_flight in [1, 64, 256] {
        let mut echo = Vec::new();
        let mut bare = (Vec::new(), Vec::new(), Vec::new());
        let mut ours = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let server = Server::start(&this, &["baseline"]).await?;
            warm_up(&server, in_flight).await?;
            echo.push(round(&server, in_flight).await?.0);
            server.stop().await?;
            let server = Server::start(&this, &["baseline", "--store"]).await?;
            warm_up(&server, in_flight).await?;
            push(&mut bare, round(&server, in_flight).await?);
            server.stop().await?;
            let (server, _folder) = start(sampan).await?;
            warm_up(&server, in_flight).await?;
            push(&mut ours, round(&server, in_flight).await?);
            server.stop().await?;
        }
        println!(" {in_flight} in flight");
        line("bare tonic, per second", format!("{:.0}", Spread::of(&echo)), "");
        line("bare tonic + durable write, per second", format!("{:.0}", Spread::of(&bare.0)), "");
        line("sampan, per second", format!("{:.0}", Spread::of(&ours.0)), "");
        line("  of tonic + durable write", Spread::of_ratios(&ours.0, &bare.0), "");
        line("  p99 of tonic + durable write", Spread::of_ratios(&ours.1, &bare.1), "");
        line("  processor time of tonic + durable write", Spread::of_ratios(&ours.2, &bare.2), "");
    }
    Ok(())
}

type Series = (Vec<f64>, Vec<f64>, Vec<f64>);

fn push(series: &mut Series, (rate, p99, cpu): (f64, f64, f64)) {
    series.0.push(rate);
    series.1.push(p99);
    series.2.push(cpu);
}

/// Starts a server whose cloud never answers, and which works on one operation at a time: what is measured is the
/// admission alone.
async fn start(sampan: &Path) -> Result<(Server, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let store = format!("embedded:{}", folder.path().join("store").display());
    start_in(sampan, folder, &store).await
}

/// Starts the same on another store.
pub(crate) async fn start_on(sampan: &Path, store: &str) -> Result<(Server, tempfile::TempDir)> {
    start_in(sampan, tempfile::tempdir()?, store).await
}

async fn start_in(sampan: &Path, folder: tempfile::TempDir, store: &str) -> Result<(Server, tempfile::TempDir)> {
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = silent.local_addr()?;
    // Connections wait in the backlog of a listener that nobody serves, for as long as this process lives.
    std::mem::forget(silent);
    let config = folder.path().join("sampan.toml");
    let text = format!(
        "[operations]\nconcurrency = 1\n[telemetry]\nlog = \"warn\"\n[accounts.load]\ncloud = \"alibaba\"\n\
         [accounts.load.endpoints]\napi = \"http://{address}\"\nbucket = \"http://{address}\"\n\
         [accounts.load.credentials]\nsource = \"static\"\naccess_key_id = \"load\"\naccess_key_secret = \"load\"\n"
    );
    std::fs::write(&config, text)?;
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--config", &config.display().to_string(), "--store", store];
    Ok((Server::start(sampan, &arguments).await?, folder))
}

/// Returns calls per second, p99 in µs, and processor time of the server per call in µs.
pub(crate) async fn round(server: &Server, in_flight: usize) -> Result<(f64, f64, f64)> {
    for_a_while(server, in_flight, ROUND).await
}

/// Makes calls that are not counted.
pub(crate) async fn warm_up(server: &Server, in_flight: usize) -> Result<()> {
    for_a_while(server, in_flight, WARM_UP).await?;
    Ok(())
}

async fn for_a_while(server: &Server, in_flight: usize, time: Duration) -> Result<(f64, f64, f64)> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS.min(in_flight) {
        clients.push(connect(&server.url()).await?);
    }
    let (cpu_before, until) = (server.cpu_seconds(), Instant::now() + time);
    let mut work = JoinSet::new();
    for index in 0..in_flight {
        let mut client = clients[index % clients.len()].clone();
        work.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let begun = Instant::now();
                call(&mut client).await?;
                latencies.push(begun.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = work.join_next().await {
        all.extend(done??);
    }
    let cpu = server.cpu_seconds() - cpu_before;
    let latencies = Latencies::new(all);
    let calls = latencies.len() as f64;
    Ok((calls / time.as_secs_f64(), latencies.quantile_us(0.99), cpu / calls * 1e6))
}

/// What a start was called, and what it became.
pub(crate) struct Started {
    pub(crate) request_id: String,
    pub(crate) operation_id: String,
}

/// Connects to a server once.
pub(crate) async fn connect(url: &str) -> Result<ExportServiceClient<Channel>> {
    Ok(ExportServiceClient::new(Channel::from_shared(url.to_owned())?.connect().await?))
}

/// Starts `count` exports, `in_flight` at a time.
pub async fn starts(url: &str, count: usize, in_flight: usize) -> Result<()> {
    let client = connect(url).await?;
    let calls = (0..count).map(|_| {
        let mut client = client.clone();
        async move { call(&mut client).await }
    });
    stream::iter(calls).buffer_unordered(in_flight).try_for_each(|_| future::ok(())).await
}

/// Starts one export.
pub(crate) async fn call(client: &mut ExportServiceClient<Channel>) -> Result<Started> {
    let image = ImageReference {
        cloud: Cloud::Alibaba as i32,
        account: "load".to_owned(),
        region: "cn-hangzhou".to_owned(),
        image_id: "m-bp1sampanload000000001".to_owned(),
    };
    let spec = ExportSpec {
        image: Some(image),
        bucket: "sampan-load".to_owned(),
        prefix: Some("load".to_owned()),
        ..ExportSpec::default()
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let request =
        ExportImageRequest { request_id: request_id.clone(), spec: Some(spec), ..ExportImageRequest::default() };
    let name = client.export_image(request).await?.into_inner().operation.unwrap_or_default().name;
    let operation_id = name.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Started { request_id, operation_id })
}
