//! Admissions on Redis over gRPC beside a bare tonic handler that awaits one EVALSHA; then what 100,000 operations cost.
//!
//! Two bare handlers: one awaits the very EVALSHA that Sampan sends, recorded, so the ratio is what the server costs;
//! one a script that does the least that any admission must, so the ratio is what the decision costs too.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use redis::aio::MultiplexedConnection;
use sampan_core::clock;
use sampan_state::redis::Time;
use sampan_state::{Admission as _, Operations as _, Redis};

use crate::child::Server;
use crate::stats::{Latencies, Spread, line};
use crate::{grpc, store};

/// Operations in flight whose memory is measured.
const MANY: usize = 100_000;
/// Admissions that are under way at once while they are made.
const AT_ONCE: usize = 256;
/// Claims whose time is measured.
const CLAIMS: usize = 50;
/// Operations of one claim, as many as a runner works on at once.
const PER_CLAIM: u32 = 64;

/// A Redis server of this program's own; dropping it ends it.
struct RedisServer(sampan_tests_e2e::Redis);

impl RedisServer {
    async fn start() -> Result<Self> {
        let server = sampan_tests_e2e::Redis::start().await;
        Ok(Self(server.context("redis-server cannot be started; it is the Debian package redis-server")?))
    }

    fn url(&self) -> String {
        self.0.store()
    }

    async fn connect(&self) -> Result<MultiplexedConnection> {
        Ok(redis::Client::open(self.url())?.get_multiplexed_async_connection().await?)
    }

    /// Returns a number that Redis tells about itself.
    async fn told(&self, section: &str, field: &str) -> Result<f64> {
        let info: String = redis::cmd("INFO").arg(section).query_async(&mut self.connect().await?).await?;
        let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(value.context("INFO has another form")?.trim().parse()?)
    }

    /// Returns how often EVALSHA was called, and its time by Redis's own clock in µs.
    async fn scripts(&self) -> Result<(f64, f64)> {
        let info: String = redis::cmd("INFO").arg("commandstats").query_async(&mut self.connect().await?).await?;
        let Some(stats) = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:")) else {
            return Ok((0.0, 0.0));
        };
        let field = |name: &str| {
            let value = stats.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
        };
        Ok((field("calls"), field("usec")))
    }
}

/// What one round of one program brought.
#[derive(Default)]
struct Series {
    per_second: Vec<f64>,
    p99: Vec<f64>,
    cpu: Vec<f64>,
    script: Vec<f64>,
    trips: Vec<f64>,
}

impl Series {
    async fn round(&mut self, redis: &RedisServer, server: &Server, in_flight: usize) -> Result<()> {
        grpc::warm_up(server, in_flight).await?;
        let before = redis.scripts().await?;
        let (rate, p99, cpu) = grpc::round(server, in_flight).await?;
        let after = redis.scripts().await?;
        let calls = after.0 - before.0;
        self.per_second.push(rate);
        self.p99.push(p99);
        self.cpu.push(cpu);
        self.script.push((after.1 - before.1) / calls.max(1.0));
        self.trips.push(calls / (rate * grpc::ROUND.as_secs_f64()).max(1.0));
        Ok(())
    }
}

/// Prints the figures.
pub async fn print(sampan: &Path, rounds: usize) -> Result<()> {
    println!("admissions on Redis over gRPC; baseline: a bare tonic handler that awaits one EVALSHA");
    let this = std::env::current_exe()?;
    for in_flight in [1, 64, 256] {
        let (mut least, mut same, mut ours) = (Series::default(), Series::default(), Series::default());
        let recorded = sampan.display().to_string();
        for _ in 0..rounds {
            for (series, from) in [(&mut least, None), (&mut same, Some(&recorded))] {
                let redis = RedisServer::start().await?;
                let url = redis.url();
                let mut arguments = vec!["redis-baseline", "--redis", &url];
                arguments.extend(from.into_iter().flat_map(|sampan| ["--recorded-from", sampan]));
                let server = Server::start(&this, &arguments).await?;
                series.round(&redis, &server, in_flight).await?;
                server.stop().await?;
            }
            let redis = RedisServer::start().await?;
            let (server, _folder) = grpc::start_on(sampan, &redis.url()).await?;
            ours.round(&redis, &server, in_flight).await?;
            server.stop().await?;
            drop(redis);
        }
        println!(" {in_flight} in flight");
        line("sampan, per second", format!("{:.0}", Spread::of(&ours.per_second)), "");
        beside("the same EVALSHA", &same, &ours, ["at least 0.80", "at most 1.4", "at most 1.5"]);
        beside("the least EVALSHA", &least, &ours, [""; 3]);
        line("  EVALSHA per admission", Spread::of(&ours.trips), "1");
        line("  time of one script, µs", format!("{:.1}", Spread::of(&ours.script)), "");
    }
    many().await
}

fn beside(script: &str, bare: &Series, ours: &Series, [rate, p99, cpu]: [&str; 3]) {
    line(&format!("bare tonic + {script}, per second"), format!("{:.0}", Spread::of(&bare.per_second)), "");
    line("  rate", Spread::of_ratios(&ours.per_second, &bare.per_second), rate);
    line("  p99", Spread::of_ratios(&ours.p99, &bare.p99), p99);
    line("  processor time", Spread::of_ratios(&ours.cpu, &bare.cpu), cpu);
    line("  time of the script", Spread::of_ratios(&ours.script, &bare.script), "");
}

/// Memory and claims of many operations in flight.
async fn many() -> Result<()> {
    println!(" {MANY} operations in flight");
    let redis = RedisServer::start().await?;
    let store = Redis::open(&redis.url().parse()?, Time::Server).await?;
    let empty = redis.told("memory", "used_memory").await?;
    let clock = clock::system();
    let work = (0..AT_ONCE).map(|_| {
        let (store, clock) = (store.clone(), clock.clone());
        async move {
            for _ in 0..MANY.div_ceil(AT_ONCE) {
                store.admit(store::start(&clock)).await?;
            }
            anyhow::Ok(())
        }
    });
    futures::future::try_join_all(work).await?;
    let used = redis.told("memory", "used_memory").await? - empty;
    let count = (MANY.div_ceil(AT_ONCE) * AT_ONCE) as f64;
    line("memory of Redis per operation, KiB", format!("{:.2}", used / count / 1024.0), "at most 4");
    let mut claims = Vec::new();
    for number in 0..CLAIMS {
        let (begun, owner) = (Instant::now(), format!("load-{number}"));
        let claimed = store.claim(&["export".to_owned()], &owner, PER_CLAIM, Duration::from_secs(600)).await?;
        claims.push(begun.elapsed());
        ensure!(claimed.len() == PER_CLAIM as usize, "only {} were due", claimed.len());
    }
    let claims = Latencies::new(claims);
    let one = |quantile| claims.quantile_us(quantile) / 1e3;
    line("claim of 64, ms: p50, p99", format!("{:.1}, {:.1}", one(0.5), one(0.99)), "");
    Ok(())
}

/// Idle memory of a server on Redis, by role; printed with the footprint of the others.
pub async fn print_idle(sampan: &Path, rounds: usize) -> Result<()> {
    println!("memory at rest on Redis, MiB");
    let redis = RedisServer::start().await?;
    for roles in ["export", "billing", "export,billing"] {
        let mut idle = Vec::new();
        for _ in 0..rounds {
            let arguments = ["serve", "--listen", "127.0.0.1:0", "--roles", roles, "--store", &redis.url()];
            let server = Server::start(sampan, &arguments).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            idle.push(server.memory_mib().0);
            server.stop().await?;
        }
        line(roles, format!("{:.1}", Spread::of(&idle)), "at most 20");
    }
    Ok(())
}
