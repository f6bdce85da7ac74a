//! Both vendor packages against the simulated clouds, in one process and with a clock in hand.
//!
//! The packages' own tests replay what the vendors document; here the judge that shares no code with them answers.
#![expect(clippy::expect_used, reason = "a test that cannot begin ends")]

use std::sync::Arc;
use std::time::Duration;

use sampan_cloud::Clients;
use sampan_cloud_alibaba::{AlibabaCloud, AlibabaConfig, CredentialSource as AlibabaKeys};
use sampan_cloud_tencent::credentials::CredentialSource as TencentKeys;
use sampan_cloud_tencent::{TencentCloud, TencentConfig};
use sampan_core::clock::ManualClock;
use sampan_core::{Cloud, SharedClock};
use sampan_simulator::world::{Account, Fault, FaultKind, Pace, World};
use sampan_simulator::{Options, Running};

/// How long a copy takes, whatever its size.
pub const COPY_SECONDS: u64 = 100;

/// Two accounts of each simulated cloud, and the world behind them.
#[derive(Debug)]
pub struct Clouds {
    running: Running,
    clock: SharedClock,
}

impl Clouds {
    /// Starts the simulated clouds, as they are seeded.
    pub async fn start() -> Self {
        let clock: SharedClock = Arc::new(ManualClock::new("2026-11-21T04:00:00Z".parse().expect("an instant")));
        let pace = Pace {
            floor: Duration::from_secs(COPY_SECONDS),
            per_used_gib: Duration::ZERO,
            per_further_disk: Duration::ZERO,
        };
        let options = Options { pace, ..Options::new(Arc::clone(&clock)) };
        Self { running: sampan_simulator::start(options).await.expect("five free ports"), clock }
    }

    /// Returns the world itself.
    pub fn world(&self) -> &World {
        self.running.world()
    }

    /// Returns the clients of the first account of `cloud`.
    pub fn first(&self, cloud: Cloud) -> Clients {
        self.clients(&self.account(cloud, 0))
    }

    /// Returns the clients of the second account of `cloud`.
    pub fn second(&self, cloud: Cloud) -> Clients {
        self.clients(&self.account(cloud, 1))
    }

    /// Returns an account of `cloud` in the order of the seed.
    pub fn account(&self, cloud: Cloud, index: usize) -> Account {
        let mut accounts = self.running.credentials().into_iter().filter(|account| account.cloud == cloud);
        accounts.nth(index).expect("the seed has two accounts a cloud")
    }

    fn clients(&self, account: &Account) -> Clients {
        let (addresses, clock) = (self.running.addresses(), Arc::clone(&self.clock));
        let (id, secret) = (account.secret_id.clone(), account.secret_key.clone());
        match account.cloud {
            Cloud::Tencent => {
                let keys = TencentKeys::Static { secret_id: id.into(), secret_key: secret.into(), token: None };
                let mut config = TencentConfig::new(keys, clock);
                config.endpoints.api = Some(addresses.cvm.clone());
                TencentCloud::open(config)
            }
            Cloud::Alibaba => {
                let (access_key_id, access_key_secret) = (id, secret.into());
                let keys = AlibabaKeys::Static { access_key_id, access_key_secret, security_token: None };
                let mut config = AlibabaConfig::new(keys, clock);
                config.endpoints.api = Some(addresses.ecs.clone());
                config.trial_runs = true;
                AlibabaCloud::open(config).expect("a good address")
            }
        }
    }

    /// Lets the world go on by `seconds`.
    pub fn pass(&self, seconds: u64) {
        self.world().jump(Duration::from_secs(seconds));
    }

    /// Lets the next call or task of `action` go wrong.
    pub fn spoil(&self, action: &str, kind: FaultKind) {
        let action = action.to_owned();
        let fault = Fault { cloud: None, action, region: None, kind, times: 1, delay: Duration::ZERO };
        self.world().order_fault(fault);
    }
}
