//! The conformance suite, on one server and on a cluster that the cases share; each has a prefix of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use sampan_core::clock::{Clock, ManualClock, SystemClock};

use super::cluster::Cluster;
use super::server::{self, Server};
use crate::SharedStore;
use crate::conformance::Harness;
use crate::redis::{Redis, Time};

/// Where the store of a harness lies.
enum Place {
    Server(Arc<Server>),
    Cluster(Arc<Cluster>),
}

impl Place {
    fn url(&self, prefix: &str) -> String {
        match self {
            Self::Server(server) => server.url(prefix),
            Self::Cluster(cluster) => cluster.url(prefix),
        }
    }
}

struct Bench {
    /// `None` where there is no server to test with.
    place: Option<Place>,
    prefix: String,
    clock: Arc<ManualClock>,
    store: Mutex<Option<Arc<Redis>>>,
}

impl Bench {
    async fn open(&self) {
        if let Some(place) = &self.place {
            let time = Time::Given(self.clock.clone());
            let store = super::open_with(&place.url(&self.prefix), time).await;
            *self.store.lock().unwrap() = Some(store);
        }
    }
}

#[async_trait]
impl Harness for Bench {
    fn is_available(&self) -> bool {
        self.place.is_some()
    }

    fn store(&self) -> SharedStore {
        self.store.lock().unwrap().clone().unwrap()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }

    async fn restart(&self) {
        let store = self.store.lock().unwrap().take();
        assert_eq!(store.as_ref().map(Arc::strong_count), Some(1), "the case still holds the store");
        drop(store);
        self.open().await;
    }
}

async fn on(place: Option<Place>) -> Bench {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let bench = Bench {
        place,
        prefix: format!("case-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
        clock: Arc::new(ManualClock::new(SystemClock.now())),
        store: Mutex::new(None),
    };
    bench.open().await;
    bench
}

async fn on_one_server() -> Bench {
    on(if server::is_there() { Some(Place::Server(Server::shared().await)) } else { None }).await
}

async fn on_a_cluster() -> Bench {
    on(if server::is_there() { Some(Place::Cluster(Cluster::shared().await)) } else { None }).await
}

mod one_server {
    conformance_suite!(super::on_one_server);
}

mod three_nodes {
    conformance_suite!(super::on_a_cluster);
}
