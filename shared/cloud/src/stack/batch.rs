//! Joins concurrent look-ups of one lane into one vendor call.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use crate::error::CallError;

/// Looks up the values of some keys of one lane; a key without a value is left out.
pub type Load<L, K, V> = dyn Fn(L, Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, CallError>> + Send + Sync;

type Loaded<K, V> = Result<Arc<HashMap<K, V>>, CallError>;

/// Gathers the keys that are asked for within a moment and loads them together.
///
/// `L` is what must be equal for keys to share a call (the region, say), `K` a key, `V` its value.
pub struct Batcher<L, K, V> {
    inner: Arc<Inner<L, K, V>>,
}

struct Inner<L, K, V> {
    /// The newest batch of each lane.
    newest: Mutex<HashMap<L, Batch<K, V>>>,
    load: Box<Load<L, K, V>>,
    window: Duration,
    largest: usize,
}

struct Batch<K, V> {
    /// `None` once the load has begun.
    keys: Arc<Mutex<Option<Vec<K>>>>,
    result: Shared<BoxFuture<'static, Loaded<K, V>>>,
}

impl<K: Clone + Eq, V> Batch<K, V> {
    /// Adds `key` and returns what to wait for, or `None` when the batch takes no more.
    fn add(&self, key: &K, largest: usize) -> Option<Shared<BoxFuture<'static, Loaded<K, V>>>> {
        // When everybody who waited has gone, only the map holds the batch, and nobody would ever run it.
        if self.result.strong_count().is_none_or(|holders| holders < 2) {
            return None;
        }
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_mut()?;
        if !keys.contains(key) {
            if keys.len() >= largest {
                return None;
            }
            keys.push(key.clone());
        }
        Some(self.result.clone())
    }
}

impl<L, K, V> Batcher<L, K, V>
where
    L: Clone + Eq + Hash + Send + Sync + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Makes a batcher that waits `window` for more keys and never loads more than `largest` together.
    pub fn new(window: Duration, largest: usize, load: Box<Load<L, K, V>>) -> Self {
        let inner = Inner { newest: Mutex::new(HashMap::new()), load, window, largest: largest.max(1) };
        Self { inner: Arc::new(inner) }
    }

    /// Looks `key` up; `None` when the load had no value for it.
    ///
    /// # Errors
    /// The error of the load, for every key of its batch.
    ///
    /// # Cancellation
    /// Dropping the future leaves the batch to the others that wait for it.
    pub async fn get(&self, lane: L, key: K) -> Result<Option<V>, CallError> {
        let loaded = self.join(lane, &key).await?;
        Ok(loaded.get(&key).cloned())
    }

    fn join(&self, lane: L, key: &K) -> Shared<BoxFuture<'static, Loaded<K, V>>> {
        let mut newest = self.inner.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(joined) = newest.get(&lane).and_then(|batch| batch.add(key, self.inner.largest)) {
            return joined;
        }
        let keys = Arc::new(Mutex::new(Some(vec![key.clone()])));
        let result = run(Arc::clone(&self.inner), lane.clone(), Arc::clone(&keys)).boxed().shared();
        newest.insert(lane, Batch { keys, result: result.clone() });
        result
    }
}

async fn run<L, K, V>(inner: Arc<Inner<L, K, V>>, lane: L, keys: Arc<Mutex<Option<Vec<K>>>>) -> Loaded<K, V>
where
    L: Clone + Eq + Hash,
{
    tokio::time::sleep(inner.window).await;
    let wanted = keys.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    {
        let mut newest = inner.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.get(&lane).is_some_and(|batch| Arc::ptr_eq(&batch.keys, &keys)) {
            newest.remove(&lane);
        }
    }
    (inner.load)(lane, wanted).await.map(Arc::new)
}

impl<L, K, V> fmt::Debug for Batcher<L, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").field("largest", &self.inner.largest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Calls = Arc<Mutex<Vec<(&'static str, Vec<u32>)>>>;

    fn doubler(largest: usize) -> (Batcher<&'static str, u32, u32>, Calls) {
        let calls = Calls::default();
        let seen = Arc::clone(&calls);
        let load = move |lane: &'static str, keys: Vec<u32>| {
            seen.lock().unwrap().push((lane, keys.clone()));
            async move { Ok(keys.into_iter().filter(|key| *key != 13).map(|key| (key, key * 2)).collect()) }.boxed()
        };
        (Batcher::new(Duration::from_millis(5), largest, Box::new(load)), calls)
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_one_lane_share_a_call_and_each_gets_its_own_value() {
        let (batcher, calls) = doubler(10);
        let (one, two, again, unlucky) =
            tokio::join!(batcher.get("gz", 1), batcher.get("gz", 2), batcher.get("gz", 1), batcher.get("gz", 13));
        assert_eq!((one.unwrap(), two.unwrap(), again.unwrap(), unlucky.unwrap()), (Some(2), Some(4), Some(2), None));
        assert_eq!(*calls.lock().unwrap(), [("gz", vec![1, 2, 13])]);
    }

    #[tokio::test(start_paused = true)]
    async fn other_lanes_and_keys_beyond_the_ceiling_have_calls_of_their_own() {
        let (batcher, calls) = doubler(2);
        let wanted = [("gz", 1), ("gz", 2), ("gz", 3), ("sh", 4)];
        let found = futures::future::join_all(wanted.map(|(lane, key)| batcher.get(lane, key))).await;
        let values: Vec<_> = found.into_iter().map(|value| value.unwrap().unwrap()).collect();
        assert_eq!(values, [2, 4, 6, 8]);
        let mut calls = calls.lock().unwrap().clone();
        calls.sort();
        assert_eq!(calls, [("gz", vec![1, 2]), ("gz", vec![3]), ("sh", vec![4])]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_nobody_waits_for_any_more_takes_no_keys() {
        let (batcher, calls) = doubler(10);
        let gone = batcher.get("gz", 1);
        assert!(tokio::time::timeout(Duration::from_millis(1), gone).await.is_err());
        assert_eq!(batcher.get("gz", 2).await.unwrap(), Some(4));
        assert_eq!(*calls.lock().unwrap(), [("gz", vec![2])]);
    }
}
