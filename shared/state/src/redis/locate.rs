//! Decides in which shard an operation is looked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures::future::try_join_all;
use sampan_core::OperationId;

use super::Inner;
use super::call::Call;
use super::keys::Shard;
use super::scripts::FIND;
use crate::error::Error;

/// Operations whose shard a process remembers, in each of two halves: about 3 MiB when full.
const REMEMBERED: usize = 32 * 1024;

/// The shards of operations that this process has seen lately.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<OperationId, Shard>,
    old: HashMap<OperationId, Shard>,
}

impl Known {
    pub(super) fn remember(&self, id: OperationId, shard: Shard) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.young.len() >= REMEMBERED {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(id, shard);
    }

    fn find(&self, id: OperationId) -> Option<Shard> {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.get(&id).or_else(|| halves.old.get(&id)).copied()
    }
}

impl Inner {
    /// Returns the shard of an operation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no shard knows it.
    pub(super) async fn shard_of(&self, id: OperationId) -> Result<Shard, Error> {
        if let Some(known) = self.known.find(id) {
            return Ok(known);
        }
        let looks = self.groups().into_iter().map(|shards| async move {
            let place = self.run(Call::over(&FIND, shards.clone()).number(id)).await?.count()?;
            let index = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
            Ok::<_, Error>(index.and_then(|index| shards.get(index).copied()))
        });
        let found = try_join_all(looks).await?.into_iter().flatten().next().ok_or(Error::NotFound(id))?;
        self.known.remember(id, found);
        Ok(found)
    }
}
