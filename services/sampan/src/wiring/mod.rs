//! Puts the parts together: the only place that names concrete backends and clouds.

mod accounts;
mod audit;
mod metrics;
mod open_files;
mod peers;
mod prices;
mod roles;
mod security;
mod simulated;
mod stop;
mod store;
mod system;

pub use accounts::open_accounts;
pub use audit::{open_audit, reopen_on_hangup};
pub use metrics::{bind_scrapes, keep_fresh, open_metrics, sampler};
pub use open_files::room_for;
pub use peers::open_peers;
pub use prices::load_prices;
pub use security::{Guard, open_guard};
pub use simulated::{accounts_toml, simulated_accounts};
pub use stop::stop_signal;
pub use store::open_store;
pub use system::{Parts, System};
