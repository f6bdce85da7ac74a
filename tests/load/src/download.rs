//! Downloads beside curl, aria2c and rclone: the same object of the simulated bucket, fresh files, in turn.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::export::v1::{CreateDownloadUrlsRequest, ExportImageRequest, ExportSpec};
use sampan_proto::image::v1::{Cloud, ImageReference};
use sampan_proto::operation::v1::WaitOperationRequest;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use serde_json::{Value, json};
use tokio::process::Command;
use tonic::transport::Channel;

use crate::child::{Server, measure};
use crate::stats::{Spread, line};

/// Prints the rates of every tool that is installed, in GB/s, and our peak memory.
pub async fn print(sampan: &Path, rounds: usize, mib: u64) -> Result<()> {
    println!(
        "download of {mib} MiB from the simulated bucket on loopback until it is on the disk, CRC-64 checked by ours alone"
    );
    let bench = Bench::start(sampan, mib).await?;
    let tools = [Tool::Sampan, Tool::Curl, Tool::Aria2, Tool::Rclone];
    let tools: Vec<_> = tools.into_iter().filter(|tool| tool.is_installed()).collect();
    let mut rates = vec![Vec::new(); tools.len()];
    let mut memory = vec![Vec::new(); tools.len()];
    // The first round warms the page cache and does not count.
    for round in 0..=rounds {
        for (index, tool) in tools.iter().enumerate() {
            let (time, peak) = bench.run(*tool).await?;
            if round > 0 {
                rates[index].push(bench.bytes as f64 / time.as_secs_f64() / 1e9);
                memory[index].push(peak);
            }
        }
    }
    for (index, tool) in tools.iter().enumerate() {
        line(&format!("{} GB/s", tool.name()), Spread::of(&rates[index]), "");
        line(
            "  peak memory, MiB",
            format!("{:.0}", Spread::of(&memory[index])),
            if index == 0 { "at most 64 MiB" } else { "" },
        );
    }
    let best: Vec<f64> = (0..rounds)
        .map(|round| rates.iter().skip(1).filter_map(|rates| rates.get(round)).copied().fold(0.0, f64::max))
        .collect();
    line("sampan of the best other tool", Spread::of_ratios(&rates[0], &best), "at least 1.1");
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Tool {
    Sampan,
    Curl,
    Aria2,
    Rclone,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Sampan => "sampan, 8 streams",
            Self::Curl => "curl, 1 stream",
            Self::Aria2 => "aria2c, 8 streams",
            Self::Rclone => "rclone, 8 streams",
        }
    }

    fn is_installed(self) -> bool {
        let program = match self {
            Self::Sampan => return true,
            Self::Curl => "curl",
            Self::Aria2 => "aria2c",
            Self::Rclone => "rclone",
        };
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
    }
}

/// Simulator, server, and one finished export.
struct Bench {
    sampan: PathBuf,
    folder: tempfile::TempDir,
    _simulator: Server,
    server: Server,
    operation: String,
    url: String,
    bytes: u64,
}

impl Bench {
    async fn start(sampan: &Path, mib: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("sampan.toml").display().to_string();
        let simulator =
            Server::start(sampan, &["simulate", "--port", "0", "--json", "--write-config", &config]).await?;
        let disk = folder.path().join("disk.raw");
        random_file(&disk, mib)?;
        let image = add_image(&simulator.ready, &disk, mib).await?;
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--store", "memory", "--config", &config];
        let server = Server::start(sampan, &arguments).await?;
        let channel = Channel::from_shared(server.url())?.connect().await?;
        let (operation, url) = export(channel, &image).await?;
        let bytes = mib * 1024 * 1024;
        Ok(Self { sampan: sampan.to_owned(), folder, _simulator: simulator, server, operation, url, bytes })
    }

    async fn run(&self, tool: Tool) -> Result<(Duration, f64)> {
        let to = self.folder.path().join("out");
        std::fs::create_dir(&to)?;
        let (folder, file) = (to.display().to_string(), to.join("file").display().to_string());
        let mut command = match tool {
            Tool::Sampan => {
                let mut command = Command::new(&self.sampan);
                command.args(["download", &self.operation, "--to", &folder, "--endpoint", &self.server.url()]);
                command
            }
            Tool::Curl => {
                let mut command = Command::new("curl");
                command.args(["--silent", "--fail", "--output", &file, &self.url]);
                command
            }
            Tool::Aria2 => {
                let mut command = Command::new("aria2c");
                command.args(["-q", "-x8", "-s8", "-k8M", "--file-allocation=none", "--auto-file-renaming=false"]);
                command.args(["-d", &folder, "-o", "file", &self.url]);
                command
            }
            Tool::Rclone => {
                let mut command = Command::new("rclone");
                command.args(["copyurl", "--multi-thread-streams=8", "--multi-thread-cutoff=64M", &self.url, &file]);
                command
            }
        };
        let (time, peak) = measure(&mut command).await?;
        // Ours ends with the bytes on the disk; the others' time counts until they are there too.
        let begun = std::time::Instant::now();
        for entry in std::fs::read_dir(&to)? {
            std::fs::File::open(entry?.path())?.sync_data()?;
        }
        let synced = begun.elapsed();
        std::fs::remove_dir_all(&to)?;
        Ok((time + synced, peak))
    }
}

/// Writes a file that neither compresses nor has holes.
fn random_file(path: &Path, mib: u64) -> Result<()> {
    let mut random = std::fs::File::open("/dev/urandom")?;
    let mut block = vec![0; 1024 * 1024];
    let mut file = std::fs::File::create(path)?;
    for _ in 0..mib {
        std::io::Read::read_exact(&mut random, &mut block)?;
        std::io::Write::write_all(&mut file, &block)?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the benchmark speaks to the simulator's control API")]
async fn add_image(ready: &Value, disk: &Path, mib: u64) -> Result<String> {
    let control = ready["addresses"]["control"].as_str().context("no control address")?;
    let account = ready["accounts"].as_array().into_iter().flatten().find(|account| account["cloud"] == "tencent");
    let body = json!({
        "cloud": "tencent",
        "account": account.context("no account")?["account"],
        "region": "ap-guangzhou",
        "name": "load",
        "platform": "Ubuntu",
        "disks": [{ "role": "system", "size_gib": mib.div_ceil(1024), "file": disk }],
    });
    let answer = reqwest::Client::new().post(format!("{control}/_sim/images")).json(&body).send().await?;
    let status = answer.status();
    let image: Value = answer.json().await?;
    anyhow::ensure!(status.is_success(), "the simulator refuses the image: {image}");
    let id = image["image_id"].as_str().or_else(|| image["id"].as_str()).context("no image id")?;
    Ok(id.to_owned())
}

async fn export(channel: Channel, image: &str) -> Result<(String, String)> {
    let spec = ExportSpec {
        image: Some(ImageReference {
            cloud: Cloud::Tencent as i32,
            account: "tencent".to_owned(),
            region: "ap-guangzhou".to_owned(),
            image_id: image.to_owned(),
        }),
        bucket: "sampan-guangzhou-1250000000".to_owned(),
        prefix: Some("load".to_owned()),
        ..ExportSpec::default()
    };
    let mut exports = ExportServiceClient::new(channel.clone());
    let request = ExportImageRequest { spec: Some(spec), ..ExportImageRequest::default() };
    let started = exports.export_image(request).await?.into_inner().operation.unwrap_or_default();
    let mut operations = OperationServiceClient::new(channel);
    let wait = WaitOperationRequest {
        name: started.name.clone(),
        timeout: Some(prost_types::Duration { seconds: 120, nanos: 0 }),
    };
    let ended = operations.wait_operation(wait).await?.into_inner().operation.unwrap_or_default();
    anyhow::ensure!(ended.error.is_none() && ended.done, "the export did not succeed: {:?}", ended.error);
    let request = CreateDownloadUrlsRequest { operation_name: started.name.clone(), valid_for: None };
    let urls = exports.create_download_urls(request).await?.into_inner().urls;
    let url = urls.into_iter().next().context("no artifact")?.url;
    Ok((started.name, url))
}
