//! Store, its clock, limits, prices.

use jiff::{SignedDuration, Timestamp};
use sampan_core::clock;
use sampan_core::limits::Limits;
use sampan_state::SharedStore;
use tonic_health::pb::HealthCheckRequest;

use super::{Examined, Finding, Wrong};
use crate::client::{Client, Failure};
use crate::config::StoreChoice;
use crate::wiring::{load_prices, open_store};

/// Clocks that differ by more make signatures and tokens fail sooner or later.
const MOST: SignedDuration = SignedDuration::from_secs(30);

pub(super) async fn check(examined: &Examined<'_>) -> (Option<SharedStore>, Vec<Finding>) {
    let config = examined.config;
    let name = config.store.to_string();
    let mut findings = Vec::new();
    let opened = examined.within(open(examined)).await;
    let store = opened.as_ref().ok().and_then(|opened| opened.clone());
    findings.push(Finding::new("store", &name, opened.map(|opened| told(&config.store, opened.is_some()))));
    if let Some(store) = &store {
        let now = examined.within(async { store.now().await.map_err(|error| broken(&error)) }).await;
        findings.push(Finding::new("clock", &name, now.and_then(clocks)));
    }
    let limits = Limits::load(&config.limits).map(|_| "they fit together".to_owned());
    let limits = limits.map_err(|error| Wrong::new(error.to_string(), "correct the section [limits]"));
    findings.push(Finding::new("limits", "[limits]", limits));
    let prices = load_prices(config.billing.price_file.as_deref(), config.billing.only_price_file);
    let prices = prices.map(|_| "readable".to_owned()).map_err(|failure| Wrong::of(&failure, "correct the price file"));
    findings.push(Finding::new("prices", "[billing]", prices));
    (store, findings)
}

/// Says whether the clock of somebody else, who has told `theirs` just now, is that of this machine.
pub(super) fn clocks(theirs: Timestamp) -> Result<String, Wrong> {
    let apart = theirs.duration_since(clock::system().now());
    let seconds = apart.as_secs_f64();
    if apart.abs() > MOST {
        let direction = if apart.is_negative() { "behind" } else { "ahead of" };
        let what = format!("{:.0} s {direction} the clock of this machine", seconds.abs());
        return Err(Wrong::new(what, "let NTP (chrony, systemd-timesyncd) set the clock that is wrong"));
    }
    Ok(format!("{:.1} s apart", seconds.abs()))
}

/// Opens the store; `None` when the server that runs here has it, and is well.
async fn open(examined: &Examined<'_>) -> Result<Option<SharedStore>, Wrong> {
    match open_store(&examined.config.store, clock::system()).await {
        Ok(store) => {
            store.check().await.map_err(|error| broken(&error))?;
            Ok(Some(store))
        }
        Err(failure) => {
            let is_file = matches!(examined.config.store, StoreChoice::Embedded(_));
            if is_file && is_served(examined).await.unwrap_or(false) {
                return Ok(None);
            }
            Err(Wrong::of(&failure, "see that it runs and that address, user and password are right"))
        }
    }
}

async fn is_served(examined: &Examined<'_>) -> Result<bool, Failure> {
    let client = Client::connect_to_own(examined.config).await?;
    let answer = client.health().check(HealthCheckRequest::default()).await?.into_inner();
    Ok(answer.status == 1)
}

fn told(choice: &StoreChoice, is_open: bool) -> String {
    match choice {
        StoreChoice::Memory => "works; forgotten when the process ends".to_owned(),
        StoreChoice::Embedded(_) if !is_open => "in use by the server that runs here, which is ready".to_owned(),
        StoreChoice::Embedded(_) | StoreChoice::Redis(_) => "can be read and written".to_owned(),
    }
}

fn broken(error: &sampan_state::Error) -> Wrong {
    Wrong::new(error.to_string(), "mend the store; without it nothing starts")
}
