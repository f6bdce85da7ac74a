//! Runs the simulator on five free ports and prints one JSON line with addresses and keys; ends with its process.
//!
//! `cargo run -p sampan-simulator --example simulate`, for those who work on the simulator alone; users have
//! `sampan simulate`.

use sampan_core::clock;
use sampan_simulator::{Options, start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let running = start(Options::new(clock::system())).await?;
    println!("{}", running.ready_line());
    std::future::pending::<()>().await;
    running.shutdown().await;
    Ok(())
}
