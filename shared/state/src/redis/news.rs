//! Decides who is woken when another process, or this one, changed something.
//!
//! Scripts publish on one channel: `c` and the id of an operation that changed, `d` and a kind that has something due
//! soon. One connection of each process listens. What is published may be lost, so nothing depends on it but speed:
//! every wait looks again by itself, seldom while the channel is known to work, often while it is not.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sampan_core::OperationId;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt as _;
use tracing::{debug, warn};

use super::Inner;

/// Silence on the channel after which a word is sent to see whether it works.
const SILENCE: Duration = Duration::from_secs(1);
/// How often a wait looks by itself while the channel works.
const SELDOM: Duration = Duration::from_secs(10);
/// How often a wait looks by itself while it does not.
const OFTEN: Duration = Duration::from_millis(500);

/// Who waits for what in this process.
#[derive(Debug)]
pub(super) struct News {
    watchers: Mutex<HashMap<OperationId, watch::Sender<()>>>,
    due: watch::Sender<()>,
    is_heard: AtomicBool,
}

impl News {
    pub(super) fn new() -> Self {
        Self { watchers: Mutex::default(), due: watch::Sender::new(()), is_heard: AtomicBool::new(false) }
    }

    /// Returns what tells about changes of one operation.
    pub(super) fn watch(&self, id: OperationId) -> Watcher<'_> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = watchers.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Watcher { news: self, id, receiver: Some(receiver) }
    }

    /// Returns what tells about new work.
    pub(super) fn watch_due(&self) -> watch::Receiver<()> {
        self.due.subscribe()
    }

    /// Returns how many operations somebody waits for.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn hear(&self, message: &[u8]) {
        let Ok(text) = std::str::from_utf8(message) else { return };
        if let Some(id) = text.strip_prefix('c').and_then(|id| id.parse().ok()) {
            let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(watcher) = watchers.get(&id) {
                watcher.send_replace(());
            }
        } else if text.starts_with('d') {
            self.due.send_replace(());
        }
    }

    /// Makes everybody look, because something may have been missed.
    fn set_heard(&self, is_heard: bool) {
        self.is_heard.store(is_heard, Ordering::Release);
        for watcher in self.watchers.lock().unwrap_or_else(PoisonError::into_inner).values() {
            watcher.send_replace(());
        }
        self.due.send_replace(());
    }
}

/// A wait for changes of one operation; leaves nothing behind when dropped.
#[derive(Debug)]
pub(super) struct Watcher<'a> {
    news: &'a News,
    id: OperationId,
    receiver: Option<watch::Receiver<()>>,
}

impl Watcher<'_> {
    /// Waits until the operation may have changed since the last call.
    pub(super) async fn changed(&mut self) {
        let longest = if self.news.is_heard.load(Ordering::Acquire) { SELDOM } else { OFTEN };
        match &mut self.receiver {
            // Either the time is up or there is news; both make the caller look.
            Some(receiver) => drop(timeout(longest, receiver.changed()).await),
            None => sleep(longest).await,
        }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        let mut watchers = self.news.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if let Slot::Occupied(slot) = watchers.entry(self.id)
            && slot.get().receiver_count() == 0
        {
            slot.remove();
        }
    }
}

/// Listens to the channel as long as the store lives.
pub(super) async fn listen(inner: &Inner) {
    let channel = inner.prefix.channel();
    loop {
        match inner.link.subscribe(channel).await {
            Ok(mut subscription) => {
                inner.news.set_heard(true);
                debug!(store = %inner.name, "listening");
                let mut messages = subscription.on_message();
                let mut is_probed = false;
                loop {
                    match timeout(SILENCE, messages.next()).await {
                        Ok(Some(message)) => {
                            is_probed = false;
                            inner.news.hear(message.get_payload_bytes());
                        }
                        Ok(None) => break,
                        Err(_) if is_probed => break,
                        Err(_) => {
                            is_probed = true;
                            let word = redis::cmd("PUBLISH").arg(channel).arg("p").to_owned();
                            // Whether it arrives is what the next round finds out.
                            drop(timeout(SILENCE, inner.link.query(&word)).await);
                        }
                    }
                }
                warn!(store = %inner.name, "announcements are lost; waits look by themselves until they are back");
            }
            Err(error) => debug!(store = %inner.name, %error, "announcements cannot be heard"),
        }
        inner.news.set_heard(false);
        sleep(OFTEN).await;
    }
}
