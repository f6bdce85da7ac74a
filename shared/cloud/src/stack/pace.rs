//! The pace layer: spreads the attempts of one action in one region over time, as the vendor permits them.
//!
//! It waits instead of failing, unless the wait would outlast the call.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sampan_core::{Reason, Region};
use tokio::time::Instant;
use tower::{Service, ServiceExt as _};

use super::Call;
use super::decode::Reply;
use super::failure::Failure;
use crate::error::CallClass;

type Key = (&'static str, &'static str, Region);

/// Token buckets of one account, by service, action and region. A bucket holds one second's worth of requests.
#[derive(Default)]
pub struct Pacer {
    /// For each bucket: the instant at which it will be full again.
    full_at: Mutex<HashMap<Key, Instant>>,
}

impl Pacer {
    /// Takes the next place in the bucket of `key` and returns when it may be used, or `None` when that would be
    /// at `deadline` or later; nothing is taken then.
    fn reserve(&self, key: Key, per_second: u32, now: Instant, deadline: Instant) -> Option<Instant> {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let burst = interval * (per_second.max(1) - 1);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = buckets.get(&key).copied().unwrap_or(now).max(now);
        let start = full_at.checked_sub(burst).map_or(now, |earliest| earliest.max(now));
        if start > now && start >= deadline {
            return None;
        }
        buckets.insert(key, full_at + interval);
        Some(start)
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Pace<S> {
    inner: S,
    pacer: Arc<Pacer>,
}

impl<S> Pace<S> {
    pub(super) fn new(inner: S, pacer: Arc<Pacer>) -> Self {
        Self { inner, pacer }
    }
}

impl<S> Service<Call> for Pace<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Reply;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Reply, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let (inner, pacer) = (self.inner.clone(), Arc::clone(&self.pacer));
        async move {
            if let Some(per_second) = call.request.per_second {
                let key = (call.request.service, call.request.action, call.request.region.clone());
                let Some(start) = pacer.reserve(key, per_second, Instant::now(), call.deadline) else {
                    let message = "too many calls of this action are waiting for their turn";
                    return Err(Failure::new(CallClass::Throttled, Reason::CloudThrottled, message).unsent());
                };
                tokio::time::sleep_until(start).await;
            }
            inner.oneshot(call).await
        }
        .boxed()
    }
}
