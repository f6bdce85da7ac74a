//! Makes the ways to the other roles.

use std::time::Duration;

use sampan_chassis::peer::{Options, Peers};

use crate::client::Failure;
use crate::config::PeersConfig;
use crate::exit::Exit;

/// Makes the ways to the other roles. Nothing is connected yet.
///
/// # Errors
/// [`Failure`] that names the address that cannot be one.
pub fn open_peers(config: &PeersConfig) -> Result<Peers, Failure> {
    let options = Options {
        timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        resolve_every: Duration::from_secs(config.resolve_seconds.max(1)),
        ..Options::default()
    };
    Peers::new(options, config.addresses())
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).advice("correct the addresses under [peers]"))
}
