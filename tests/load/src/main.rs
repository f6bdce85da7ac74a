//! Prints figures of speed and memory, each beside a bare baseline of the same kind.
//!
//! Absolute figures of a shared machine say little: baseline and Sampan run in turn, round by round, and the ratio of
//! each round is what counts. Every figure is the median of the rounds, with the smallest and largest beside it.
//!
//! ```text
//! cargo build --release -p sampan -p sampan-tests-load
//! target/release/sampan-load all
//! ```
#![allow(unreachable_pub, reason = "a binary has no other crate to reach")]

mod baseline;
mod billing;
mod bucket;
mod child;
mod download;
mod footprint;
mod grpc;
mod redis;
mod script;
mod stats;
mod store;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Prints figures of speed and memory, each beside a bare baseline of the same kind.
#[derive(Debug, Parser)]
struct Cli {
    /// What to measure.
    #[command(subcommand)]
    command: Command,
    /// The binary to measure.
    #[arg(long, global = true, default_value = "target/release/sampan")]
    sampan: PathBuf,
    /// Rounds; the median counts.
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything.
    All,
    /// Durable admissions of the embedded store beside a bare write with fdatasync.
    Store,
    /// Admissions over gRPC beside a bare tonic handler, with and without one store write.
    Grpc,
    /// Admissions on Redis beside a bare tonic handler that awaits one EVALSHA; memory of many operations.
    Redis,
    /// Estimates in the process, and over gRPC beside a bare tonic handler; memory of the price book.
    Billing,
    /// Size of the binary, time until ready, memory at rest.
    Footprint,
    /// Downloads beside curl, aria2c and rclone, as far as they are installed.
    Download {
        /// Size of the file in MiB.
        #[arg(long, default_value_t = 2048)]
        mib: u64,
    },
    /// Starts exports at a server that runs already, as an object for profilers; its account is `load`, Alibaba.
    Starts {
        /// The server.
        #[arg(long)]
        url: String,
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        count: usize,
        /// How many at once.
        #[arg(long, default_value_t = 64)]
        in_flight: usize,
    },
    /// Serves the baseline of estimates; started by `billing`.
    #[command(hide = true)]
    BillingBaseline,
    /// Serves one object over HTTP; started by `download`.
    #[command(hide = true)]
    Bucket {
        /// Size of the object in MiB.
        #[arg(long, default_value_t = 2048)]
        mib: u64,
    },
    /// Serves the baseline; started by `grpc`.
    #[command(hide = true)]
    Baseline {
        /// Whether each call makes one durable write.
        #[arg(long)]
        store: bool,
    },
    /// Serves the baseline of `redis`; started by it.
    #[command(hide = true)]
    RedisBaseline {
        /// URL of the server.
        #[arg(long)]
        redis: String,
        /// The program whose EVALSHA is sent; without it, the least that an admission must do.
        #[arg(long)]
        recorded_from: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    // An error means that a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Cli { command, sampan, rounds } = Cli::parse();
    match command {
        Command::All => {
            footprint::print(&sampan, rounds).await?;
            store::print(rounds).await?;
            grpc::print(&sampan, rounds).await?;
            redis::print(&sampan, rounds).await?;
            redis::print_idle(&sampan, rounds).await?;
            billing::print(&sampan, rounds).await?;
            download::print(&sampan, rounds, 2048).await
        }
        Command::Store => store::print(rounds).await,
        Command::Grpc => grpc::print(&sampan, rounds).await,
        Command::Redis => {
            redis::print(&sampan, rounds).await?;
            redis::print_idle(&sampan, rounds).await
        }
        Command::RedisBaseline { redis, recorded_from } => {
            baseline::serve_on_redis(&redis, recorded_from.as_deref()).await
        }
        Command::Starts { url, count, in_flight } => grpc::starts(&url, count, in_flight).await,
        Command::Billing => billing::print(&sampan, rounds).await,
        Command::BillingBaseline => billing::serve().await,
        Command::Footprint => footprint::print(&sampan, rounds).await,
        Command::Download { mib } => download::print(&sampan, rounds, mib).await,
        Command::Bucket { mib } => bucket::serve(mib).await,
        Command::Baseline { store } => baseline::serve(store).await,
    }
}
