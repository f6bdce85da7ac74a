//! Opens the store that was chosen.

use sampan_core::SharedClock;
use sampan_state::SharedStore;
use sampan_state::embedded::Embedded;

use crate::client::Failure;
use crate::config::StoreChoice;
use crate::exit::Exit;

/// Opens a store.
///
/// # Errors
/// [`Failure`] that says what is wrong with the file and what to do.
pub fn open_store(choice: &StoreChoice, clock: SharedClock) -> Result<SharedStore, Failure> {
    let opened = match choice {
        StoreChoice::Embedded(folder) => Embedded::open(folder, clock),
        StoreChoice::Memory => Embedded::in_memory(clock),
    };
    opened
        .map(|store| -> SharedStore { store })
        .map_err(|error| Failure::new(Exit::Unavailable, format!("the store {choice} cannot be opened: {error}")))
}
