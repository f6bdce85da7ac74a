//! Decides how the simulator starts and stops.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use sampan_core::SharedClock;
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listen;
use crate::world::{Account, Pace, World};
use crate::{alibaba, control, tencent};

/// How to start.
#[derive(Debug)]
pub struct Options {
    /// Address to listen on. Whoever can reach it can do everything: the keys are public.
    pub host: IpAddr,
    /// First of the five ports; 0 finds five free ones.
    pub port: u16,
    /// The clock behind the world's own.
    pub clock: SharedClock,
    /// Folder for packed object bytes; `None` makes a temporary one, which is removed at the end.
    pub data_dir: Option<PathBuf>,
    /// How long exports take.
    pub pace: Pace,
}

impl Options {
    /// Five free ports of the loopback, a temporary folder and the default pace, on `clock`.
    pub fn new(clock: SharedClock) -> Self {
        Self { host: Ipv4Addr::LOCALHOST.into(), port: 0, clock, data_dir: None, pace: Pace::default() }
    }
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The five ports are not free.
    #[error("ports {first} to {last} cannot be had (0 finds free ones)")]
    Ports {
        /// The first.
        first: u16,
        /// The last.
        last: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder for object bytes cannot be made.
    #[error("the folder for object bytes cannot be made")]
    DataFolder(#[source] io::Error),
}

/// Where the five listeners are, as base URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Control API.
    pub control: String,
    /// Tencent CVM.
    pub cvm: String,
    /// Tencent COS.
    pub cos: String,
    /// Alibaba ECS.
    pub ecs: String,
    /// Alibaba OSS.
    pub oss: String,
}

impl Addresses {
    /// A listener on every address is named by the loopback.
    fn from_first(host: IpAddr, port: u16) -> Self {
        let host = if host.is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { host };
        let url = |offset: u16| format!("http://{}", SocketAddr::new(host, port + offset));
        Self { control: url(0), cvm: url(1), cos: url(2), ecs: url(3), oss: url(4) }
    }
}

/// A started simulator; dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    world: Arc<World>,
    host: IpAddr,
    port: u16,
    stop: CancellationToken,
    servers: TaskTracker,
    // Removes the temporary folder at the end.
    _temp: Option<TempDir>,
}

/// Starts the simulator on the loopback: control, CVM, COS, ECS and OSS on five consecutive ports.
///
/// The listeners accept when this returns. Needs a Tokio runtime with I/O and time enabled.
///
/// # Errors
/// [`StartError`]; nothing is left running then.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let (data_dir, temp) = match options.data_dir {
        Some(folder) => {
            std::fs::create_dir_all(&folder).map_err(StartError::DataFolder)?;
            (folder, None)
        }
        None => {
            let temp =
                tempfile::Builder::new().prefix("sampan-simulator-").tempdir().map_err(StartError::DataFolder)?;
            (temp.path().to_owned(), Some(temp))
        }
    };
    let ports = |source| StartError::Ports { first: options.port, last: options.port.saturating_add(4), source };
    let listeners = listen::bind_five(options.host, options.port).await.map_err(ports)?;
    let first = listeners.first().map_or(Ok(0), |listener| listener.local_addr().map(|address| address.port()));
    let port = first.map_err(ports)?;
    let world = Arc::new(World::new(options.clock, options.pace, data_dir));
    let routers: [Router; 5] = [
        control::router(Arc::clone(&world)),
        tencent::cvm_router(Arc::clone(&world)),
        tencent::cos_router(Arc::clone(&world)),
        alibaba::ecs_router(Arc::clone(&world)),
        alibaba::oss_router(Arc::clone(&world)),
    ];
    let stop = CancellationToken::new();
    let servers = TaskTracker::new();
    for (listener, router) in listeners.into_iter().zip(routers) {
        servers.spawn(listen::serve(listener, router, stop.clone()));
    }
    servers.close();
    Ok(Running { world, host: options.host, port, stop, servers, _temp: temp })
}

impl Running {
    /// Returns where the listeners are.
    pub fn addresses(&self) -> Addresses {
        Addresses::from_first(self.host, self.port)
    }

    /// Returns the accounts that there are now, with their keys.
    pub fn credentials(&self) -> Vec<Account> {
        self.world.accounts()
    }

    /// Returns the world itself, for tests and demos in the same process.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Returns the line that tells a script where everything is: addresses and accounts of both clouds.
    pub fn ready_line(&self) -> serde_json::Value {
        json!({
            "ready": true,
            "port": self.port,
            "addresses": self.addresses(),
            "accounts": self.credentials(),
            "buckets": self.world.buckets(),
        })
    }

    /// Stops: no new connections, answers under way get two seconds, the temporary folder is removed.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.servers.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
