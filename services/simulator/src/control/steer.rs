//! Decides how faults, the clock, the pace and the console are written in control requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use jiff::{Timestamp, ToSpan};
use sampan_core::Cloud;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::world::{Fault, FaultKind, Pace, World, is_action, is_region, quota_day, starts_task};

type Steered = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    cloud: Option<Cloud>,
    action: String,
    region: Option<String>,
    kind: FaultKind,
    #[serde(default = "once")]
    times: u32,
    delay_ms: Option<u64>,
}

fn once() -> u32 {
    1
}

/// Pause of `slow` and `late_task` when none is given.
const SLOW: Duration = Duration::from_secs(2);
/// Longest pause that can be ordered.
const MAX_DELAY: Duration = Duration::from_secs(600);

pub(super) async fn fault(State(world): State<Arc<World>>, body: Bytes) -> Steered {
    let body: FaultBody = read(&body)?;
    if !is_action(body.cloud, &body.action) {
        let place = body.cloud.map_or("no cloud here has".to_owned(), |cloud| format!("{cloud} has not"));
        return Err(Problem::bad(format!("action: {place} the action {}", body.action)));
    }
    if body.kind.is_of_tasks() && !starts_task(&body.action) {
        return Err(Problem::bad(format!("action: {} starts no task", body.action)));
    }
    if body.times == 0 {
        return Err(Problem::bad("times: is at least 1"));
    }
    let default = if matches!(body.kind, FaultKind::Slow | FaultKind::LateTask) { SLOW } else { Duration::ZERO };
    let delay = body.delay_ms.map_or(default, Duration::from_millis);
    if delay > MAX_DELAY {
        return Err(Problem::bad("delay_ms: is at most 600000"));
    }
    if let Some(region) = &body.region
        && !body
            .cloud
            .map_or(Cloud::ALL.to_vec(), |cloud| vec![cloud])
            .into_iter()
            .any(|cloud| is_region(cloud, region))
    {
        return Err(Problem::bad(format!("region: there is no region {region}")));
    }
    let (cloud, action, region, kind, times) = (body.cloud, body.action, body.region, body.kind, body.times);
    let fault = Fault { cloud, action, region, kind, times, delay };
    world.order_fault(fault.clone());
    Ok(Json(json!(fault)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    speed: Option<f64>,
    jump_seconds: Option<f64>,
    #[serde(default)]
    next_quota_day: bool,
}

pub(super) async fn clock(State(world): State<Arc<World>>, body: Bytes) -> Steered {
    let body: ClockBody = read(&body)?;
    if body.speed.is_none() && body.jump_seconds.is_none() && !body.next_quota_day {
        return Err(Problem::bad("one of speed, jump_seconds and next_quota_day is needed"));
    }
    let jump = body
        .jump_seconds
        .map(|seconds| Duration::try_from_secs_f64(seconds).ok().filter(|jump| *jump <= MAX_JUMP))
        .map(|jump| jump.ok_or_else(|| Problem::bad("jump_seconds: is 0 to 31622400; time only goes forward")))
        .transpose()?;
    if let Some(speed) = body.speed
        && !world.set_speed(speed)
    {
        return Err(Problem::bad("speed: is over 0 and at most 100000"));
    }
    if let Some(jump) = jump {
        world.jump(jump);
    }
    if body.next_quota_day {
        world.jump(until_next_quota_day(world.world_now()));
    }
    Ok(Json(clock_view(&world)))
}

/// Longest jump: a leap year.
const MAX_JUMP: Duration = Duration::from_secs(366 * 86_400);

/// Returns the time to the first moment of the next day of UTC+8.
fn until_next_quota_day(now: Timestamp) -> Duration {
    const DAY_MILLIS: i64 = 86_400_000;
    let shifted = now.checked_add(8.hours()).unwrap_or(now).as_millisecond();
    Duration::from_millis(u64::try_from(DAY_MILLIS - shifted.rem_euclid(DAY_MILLIS)).unwrap_or(0))
}

/// Describes the world's clock.
pub(super) fn clock_view(world: &World) -> Value {
    let clock = world.clock();
    json!({ "now": clock.now, "speed": clock.speed, "quota_day": quota_day(clock.now) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceBody {
    floor_ms: Option<u64>,
    per_used_gib_ms: Option<u64>,
    per_further_disk_ms: Option<u64>,
}

pub(super) async fn pace(State(world): State<Arc<World>>, body: Bytes) -> Steered {
    let body: PaceBody = read(&body)?;
    let old = world.pace();
    let or = |millis: Option<u64>, old: Duration| millis.map_or(old, Duration::from_millis);
    world.set_pace(Pace {
        floor: or(body.floor_ms, old.floor),
        per_used_gib: or(body.per_used_gib_ms, old.per_used_gib),
        per_further_disk: or(body.per_further_disk_ms, old.per_further_disk),
    });
    let pace = world.pace();
    Ok(Json(json!({
        "floor_ms": pace.floor.as_millis(),
        "per_used_gib_ms": pace.per_used_gib.as_millis(),
        "per_further_disk_ms": pace.per_further_disk.as_millis(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleBody {
    cloud: Cloud,
    account: String,
    region: String,
    n: u32,
}

pub(super) async fn console(State(world): State<Arc<World>>, body: Bytes) -> Steered {
    let body: ConsoleBody = read(&body)?;
    if world.account(body.cloud, &body.account).is_none() {
        return Err(Problem::bad(format!("account: {} has no account {}", body.cloud, body.account)));
    }
    if !is_region(body.cloud, &body.region) {
        return Err(Problem::bad(format!("region: {} has no region {}", body.cloud, body.region)));
    }
    world.spend_in_console(body.cloud, &body.account, &body.region, body.n);
    let used = world.used_operations(body.cloud, &body.account, &body.region);
    Ok(Json(json!({ "used": used, "quota_day": quota_day(world.world_now()) })))
}
