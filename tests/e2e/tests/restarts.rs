//! Restarts under load lose no call and no operation, and kills lose no operation: four times three processes behind a
//! proxy, and one process alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod load_support;

use std::process::ExitStatus;
use std::time::Duration;

use futures::future::join_all;
use load_support::Load;
use sampan_proto::operation::v1::{OperationState, WaitOperationRequest};
use sampan_tests_e2e::{ALIBABA, Lane, Mesh, ROLES, Refusal, Setup, TENCENT, World, day, request, run_at, spec_of};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::Code;

/// Longest time that a test here takes, with room.
const A_WHILE: Duration = Duration::from_secs(90);

fn setup() -> Setup {
    Setup { export_takes: Duration::from_secs(1), log: "warn", ..Setup::default() }
}

/// Exports by the command line, one image after the other, each followed to its end; returns how many those were.
async fn command(mesh: &Mesh, load: &Load) -> usize {
    let lane = Lane { region: "cn-shanghai", bucket: "sampan-shanghai", ..ALIBABA };
    let mut count = 0;
    while !load.is_over() {
        let image = mesh.ground.clouds.add_image(&lane, &format!("command{count}")).await;
        let export = ["export", "--cloud", "alibaba", "--region", lane.region, "--bucket", lane.bucket];
        let arguments = [&export[..], &["--image", &image, "--label", "by=command"]].concat();
        let output = run_at(&mesh.url(), mesh.ground.folder(), &arguments).await;
        assert!(output.status.success(), "{output:?}");
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_rolling_restart_under_load_loses_no_call_and_no_operation() {
    day::away_from_the_turn(A_WHILE).await;
    // Leases are much longer than the test: what a replica held was handed over, and did not run out.
    let Some(mesh) = Mesh::start(&Setup { lease_seconds: 600, ..setup() }, None).await else { return };
    let (clouds, load) = (&mesh.ground.clouds, Load::default());
    Load::prepare(clouds).await;
    let api = || mesh.api();
    let restart = async {
        load.reach(50).await;
        let mut ended = Vec::new();
        for role in ROLES {
            ended.extend(mesh.roll(role).await);
        }
        load.end();
        ended
    };
    let ((), commands, ended) = tokio::join!(load.run(&api, clouds), command(&mesh, &load), restart);
    load.print("a rolling restart");
    assert!(ended.len() == 12 && ended.iter().all(ExitStatus::success), "{ended:?}");
    let lost = load.lost.lock().unwrap().clone();
    assert!(lost.is_empty(), "{lost:#?}");
    load.verify(&mesh.api(), clouds, commands).await;
}

#[tokio::test]
async fn half_of_the_replicas_killed_under_load_lose_no_operation() {
    day::away_from_the_turn(A_WHILE).await;
    let setup = Setup { lease_seconds: 1, poll_scale: 0.002, ..setup() };
    let Some(mesh) = Mesh::start(&setup, None).await else { return };
    let (clouds, load) = (&mesh.ground.clouds, Load::default());
    Load::prepare(clouds).await;
    let api = || mesh.api();
    let killing = async {
        load.reach(100).await;
        let half = [("export", 0), ("export", 2), ("copy", 1), ("share", 0), ("share", 1), ("billing", 2)];
        join_all(half.map(|(role, place)| mesh.kill(role, place))).await;
        load.reach(200).await;
        load.end();
    };
    tokio::join!(load.run(&api, clouds), killing);
    load.print("half of the replicas killed");
    load.verify(&mesh.api(), clouds, 0).await;
}

#[tokio::test]
async fn sigterm_lets_calls_at_work_end_and_operations_go_on_after_the_restart() {
    const CALLS: usize = 8;
    let mut world = World::with(Setup { is_durable: true, lease_seconds: 600, ..setup() }).await;
    let api = world.api();
    let mut names = Vec::new();
    for number in 0..4 {
        let image = world.clouds.add_image(&TENCENT, &format!("image{number}")).await;
        names.push(api.start(spec_of(&TENCENT, image)).await.name);
    }
    // The cloud dawdles, so that every preview is at work when the signal comes.
    let slow = json!({
        "cloud": "alibaba", "action": "DescribeImages", "kind": "slow", "times": CALLS, "delay_ms": 1500,
    });
    world.clouds.post("faults", slow).await;
    let mut previews = JoinSet::new();
    for _ in 0..CALLS {
        let api = api.clone();
        previews.spawn(async move { api.preview(spec_of(&ALIBABA, ALIBABA.image("ubuntu"))).await.startable });
    }
    while !world.clouds.faults_left().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let wait = WaitOperationRequest { name: names[0].clone(), timeout: None };
    let mut waiting = JoinSet::new();
    let mut client = api.operations.clone();
    let last = world.clouds.add_image(&TENCENT, "last").await;
    let last = request(spec_of(&TENCENT, last));
    let before = api.send(last.clone()).await.expect("accepted").name;
    waiting.spawn(async move { client.wait_operation(WaitOperationRequest { name: before, ..wait }).await });
    let stopping = world.take_server().stop();
    let (previews, waited, ended) = tokio::join!(previews.join_all(), waiting.join_all(), stopping);
    assert_eq!(previews, [true; CALLS]);
    assert!(ended.success());
    if let Err(let_go) = &waited[0] {
        assert_eq!(Refusal::of(let_go).reason(), "SHUTTING_DOWN", "{let_go:?}");
    }
    let refused = api.send(last.clone()).await.expect_err("nobody listens");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");

    world.start_again().await;
    names.push(world.api().send(last).await.expect("accepted").name);
    for name in names {
        let ended = world.api().ended(&name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    }
    let accepted = world.clouds.audit().await.0.iter().filter(|line| line.is_export() && line.is_accepted()).count();
    assert_eq!((accepted, world.api().quota(&TENCENT).await.used), (5, 5), "each once");
}
