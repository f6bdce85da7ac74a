//! The command line: which words exist and what they mean.

mod connection_args;
mod copy_args;
mod doctor_args;
mod estimate_args;
mod examples;
mod health_args;
mod image_args;
mod parse;
mod share_args;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use connection_args::ConnectionArgs;
pub use copy_args::{CopyCommand, PreviewCopyCommand};
pub use doctor_args::{BucketArg, DoctorArgs};
pub use estimate_args::{AnswerArgs, Compare, EstimateCommand, EstimateOutput};
pub use health_args::HealthArgs;
pub use image_args::{CostArgs, ExportArgs, wire_cloud};
pub use share_args::{ChangeCommand, PreviewShareCommand, ShareCommand, SharesCommand};

use crate::exit;

/// Moves custom VM images on Tencent Cloud and Alibaba Cloud.
#[derive(Debug, Parser)]
#[command(name = "sampan", version, after_help = format!("{}\n\n{}", examples::FIRST_STEPS, exit::TABLE), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the services.
    Serve(ServeArgs),
    /// Asks a server whether it is ready.
    Health(HealthArgs),
    /// Checks store, clouds, peers and certificates of a configuration, and says what to mend. Starts nothing.
    Doctor(DoctorArgs),
    /// Shows the main job on simulated clouds, from preview to the unpacked disk.
    Demo(DemoArgs),
    /// Runs both clouds on loopback, for tests and trials.
    Simulate(SimulateArgs),
    /// Tells what a job would do, and everything that stands against it. Changes nothing.
    #[command(subcommand)]
    Preview(PreviewCommand),
    /// Exports an image to a bucket and waits for it.
    Export(ExportCommand),
    /// Copies an image to other regions and waits for it.
    Copy(Box<CopyCommand>),
    /// Shares an image with other accounts, takes it back, or lists who has it.
    #[command(subcommand)]
    Share(Box<ShareCommand>),
    /// Tells what a job will cost, fee by fee. Needs no server.
    #[command(subcommand)]
    Estimate(EstimateCommand),
    /// Shows and steers operations.
    #[command(subcommand)]
    Operations(OperationsCommand),
    /// Shows how many image operations of the day are left.
    Quota(QuotaArgs),
    /// Downloads the artifacts of a finished export, checked and resumable.
    Download(DownloadArgs),
}

/// Where a server is when nothing else is said.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:7500";

/// Where the server is and how to print.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs {
    /// Address of the server.
    #[arg(long, env = "SAMPAN_ENDPOINT", default_value = DEFAULT_ENDPOINT, value_name = "URL")]
    pub endpoint: String,
    /// Tokens and certificates.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person.
    Table,
    /// For a program: the messages of the API, field names as in the protos.
    Json,
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = examples::SERVE)]
pub struct ServeArgs {
    /// Services to run, separated by commas; default: all.
    #[arg(long, value_delimiter = ',', env = "SAMPAN_ROLES", value_name = "ROLES")]
    pub roles: Vec<String>,
    /// Address to listen on; port 0 picks a free one; default: 127.0.0.1:7500.
    #[arg(long, env = "SAMPAN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Where operations are kept: `embedded`, `embedded:DIR`, `memory` or `redis://HOST:PORT`; default: `embedded`, a
    /// folder of yours.
    #[arg(long, env = "SAMPAN_STORE", value_name = "STORE")]
    pub store: Option<String>,
    /// Configuration file (TOML).
    #[arg(long, env = "SAMPAN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration in force, without secrets, and ends.
    #[arg(long)]
    pub print_config: bool,
}

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = examples::DEMO)]
pub struct DemoArgs {
    /// Where operations are kept: `embedded`, `embedded:DIR`, `memory` or `redis://HOST:PORT`; without DIR, a fresh
    /// folder that goes with the demo. A store with operations of others is refused.
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// Raw disk to export instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    pub disk: Option<PathBuf>,
    /// Goes on serving at the end and prints how to call it.
    #[arg(long)]
    pub keep: bool,
}

/// Options of `simulate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = examples::SIMULATE)]
pub struct SimulateArgs {
    /// Address to listen on, such as 0.0.0.0 in a container. Whoever can reach it can do everything: the keys are public.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: IpAddr,
    /// First of five consecutive ports: control, CVM, COS, ECS, OSS. 0 picks free ones.
    #[arg(long, default_value_t = 7400)]
    pub port: u16,
    /// Prints ports and demo credentials as one JSON line.
    #[arg(long)]
    pub json: bool,
    /// Writes a configuration for `sampan serve` that uses the simulated clouds.
    #[arg(long, value_name = "FILE")]
    pub write_config: Option<PathBuf>,
}

/// Jobs that can be previewed.
#[derive(Debug, Subcommand)]
pub enum PreviewCommand {
    /// Previews an export.
    Export(PreviewExportCommand),
    /// Previews a copy.
    Copy(PreviewCopyCommand),
    /// Previews a change of shares.
    Share(Box<PreviewShareCommand>),
}

/// `preview export`.
#[derive(Debug, Args)]
#[command(after_help = examples::PREVIEW_EXPORT)]
pub struct PreviewExportCommand {
    /// The export.
    #[command(flatten)]
    pub export: ExportArgs,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = examples::EXPORT)]
pub struct ExportCommand {
    /// The export.
    #[command(flatten)]
    pub export: ExportArgs,
    /// Prints the name of the operation and ends, instead of waiting.
    #[arg(long)]
    pub detach: bool,
    /// UUID that makes the start idempotent; a repeat with the same id starts nothing new.
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<String>,
    /// Label for the operation, as KEY=VALUE; can be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse::parse_label)]
    pub labels: Vec<(String, String)>,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What to do with operations.
#[derive(Debug, Subcommand)]
#[command(after_help = examples::OPERATIONS)]
pub enum OperationsCommand {
    /// Lists operations, newest first.
    List(ListArgs),
    /// Shows one operation.
    Get(OperationArgs),
    /// Follows one operation to its end.
    Watch(OperationArgs),
    /// Asks an operation to stop.
    Cancel(CancelArgs),
    /// Tries the failed parts of an ended operation again and follows it to its end.
    Retry(RetryArgs),
}

/// Options of `operations list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only operations in this state, such as `running`; can be repeated.
    #[arg(long = "state", value_name = "STATE")]
    pub states: Vec<String>,
    /// Only operations of this cloud.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Option<sampan_core::Cloud>,
    /// Only operations of this account.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub account: String,
    /// Only operations of this region.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub region: String,
    /// Only operations with this label, as KEY=VALUE; can be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse::parse_label)]
    pub labels: Vec<(String, String)>,
    /// How many to show at most.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// One operation.
#[derive(Debug, Args)]
pub struct OperationArgs {
    /// Name of the operation, with or without `operations/`.
    #[arg(value_name = "OPERATION")]
    pub name: String,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Options of `operations cancel`.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Name of the operation, with or without `operations/`.
    #[arg(value_name = "OPERATION")]
    pub name: String,
    /// Removes what the operation has made, also what arrives later.
    #[arg(long)]
    pub remove_result: bool,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Options of `operations retry`.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// Name of the operation, with or without `operations/`.
    #[arg(value_name = "OPERATION")]
    pub name: String,
    /// Prints the name of the operation and ends, instead of waiting.
    #[arg(long)]
    pub detach: bool,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Options of `quota`.
#[derive(Debug, Args)]
#[command(after_help = examples::QUOTA)]
pub struct QuotaArgs {
    /// Cloud of the lane; without it, every lane that was used is shown.
    #[arg(long, value_parser = parse::parse_cloud, requires = "region", value_name = "CLOUD")]
    pub cloud: Option<sampan_core::Cloud>,
    /// Configured account; default: the cloud's name.
    #[arg(long)]
    pub account: Option<String>,
    /// Region.
    #[arg(long, requires = "cloud")]
    pub region: Option<String>,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Options of `download`.
#[derive(Debug, Args)]
#[command(after_help = examples::DOWNLOAD)]
pub struct DownloadArgs {
    /// Name of the finished export, with or without `operations/`.
    #[arg(value_name = "OPERATION")]
    pub name: String,
    /// Folder for the files; made when it is missing.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub to: PathBuf,
    /// Unpacks `.raw.tar.gz` files while they arrive, with holes left out, and keeps the disk file alone.
    #[arg(long)]
    pub unpack: bool,
    /// Parallel streams, 1 to 32.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub streams: u16,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}
