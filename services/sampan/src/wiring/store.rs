//! Opens the store that was chosen.

use sampan_core::SharedClock;
use sampan_state::SharedStore;
use sampan_state::embedded::Embedded;
use sampan_state::redis::{Redis, Time};

use crate::client::Failure;
use crate::config::StoreChoice;
use crate::exit::Exit;

/// Opens a store.
///
/// A store on Redis follows Redis's clock, the same for all its processes, unless `clock` is one that a demo moves.
///
/// # Errors
/// [`Failure`] that says what is wrong with the file or the server and what to do.
pub async fn open_store(choice: &StoreChoice, clock: SharedClock) -> Result<SharedStore, Failure> {
    let failed =
        |error: String| Failure::new(Exit::Unavailable, format!("the store {choice} cannot be opened: {error}"));
    match choice {
        StoreChoice::Embedded(folder) => Embedded::open(folder, clock)
            .map(|store| -> SharedStore { store })
            .map_err(|error| failed(error.to_string())),
        StoreChoice::Memory => {
            Embedded::in_memory(clock).map(|store| -> SharedStore { store }).map_err(|error| failed(error.to_string()))
        }
        StoreChoice::Redis(url) => {
            let time = if clock.is_machine() { Time::Server } else { Time::Given(clock) };
            let opened = Redis::open(url, time).await;
            opened.map(|store| -> SharedStore { store }).map_err(|error| failed(error.to_string()))
        }
    }
}
