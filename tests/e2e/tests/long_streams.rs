//! A proxy that cuts calls stops no command that starts an operation, or follows it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::process::Output;
use std::time::Duration;

use sampan_proto::operation::v1::{OperationState, WatchOperationRequest};
use sampan_tests_e2e::{ALIBABA, Api, Lane, Proxy, ROLES, Setup, TENCENT, World, is_passing, request, run_at, spec_of};
use serde_json::Value;
use tonic::Status;

/// How long a stream may be silent; proxies in earnest give it a minute.
const QUIET: Duration = Duration::from_millis(700);

/// A world behind a proxy.
async fn behind_proxy(setup: Setup, quiet: Option<Duration>) -> Option<(World, Proxy)> {
    let proxy = Proxy::start(&ROLES, 1, quiet).await?;
    let world = World::with(setup).await;
    for role in ROLES {
        proxy.admit(role, 0, world.server().url()).await;
    }
    Some((world, proxy))
}

/// Follows an operation as somebody does who does not care for cut streams; returns how that ended.
async fn carelessly_watched(api: &Api, name: &str) -> Result<(), Status> {
    let request = WatchOperationRequest { name: name.to_owned(), from_revision: None };
    let mut stream = api.operations.clone().watch_operation(request).await?.into_inner();
    let mut is_done = false;
    while let Some(answer) = stream.message().await? {
        is_done = answer.operation.expect("an operation").done;
    }
    assert!(is_done, "the server ends a watch with its operation");
    Ok(())
}

/// The arguments of an export of a seeded image.
fn export<'a>(lane: &'a Lane, image: &'a str) -> [&'a str; 11] {
    let (cloud, region, bucket) = (lane.cloud.as_str(), lane.region, lane.bucket);
    ["export", "--cloud", cloud, "--region", region, "--image", image, "--bucket", bucket, "--output", "json"]
}

fn assert_succeeded(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["state"], "OPERATION_STATE_SUCCEEDED", "{told}");
}

#[tokio::test]
async fn export_and_watch_go_on_through_a_proxy_that_cuts_silent_streams() {
    // The server has news every second or two, which is longer than the proxy listens.
    let setup = Setup { poll_scale: 0.3, export_takes: Duration::from_secs(3), ..Setup::default() };
    let Some((world, proxy)) = behind_proxy(setup, Some(QUIET)).await else { return };
    let (api, url) = (Api::at(&proxy.url()), proxy.url());
    let tours = [TENCENT, ALIBABA].map(|lane| {
        let (api, url, world) = (&api, &url, &world);
        async move {
            let started = api.send(request(spec_of(&lane, lane.image("debian")))).await.expect("accepted").name;
            let watch = ["operations", "watch", &started, "--output", "json"];
            let image = lane.image("ubuntu");
            let export = export(&lane, &image);
            let (careless, watched, exported) = tokio::join!(
                carelessly_watched(api, &started),
                run_at(url, world.folder(), &watch),
                run_at(url, world.folder(), &export),
            );
            let cut = careless.expect_err("the proxy cuts a watch");
            assert!(is_passing(&cut), "{cut:?}");
            assert_succeeded(&watched);
            assert_succeeded(&exported);
            assert_eq!(world.clouds.audit().await.accepted_exports(&lane, &image), 1);
        }
    });
    futures::future::join_all(tours).await;
}

#[tokio::test]
async fn export_goes_on_when_every_stream_is_cut_at_every_news() {
    let setup = Setup { export_takes: Duration::from_secs(1), ..Setup::default() };
    let Some((world, proxy)) = behind_proxy(setup, None).await else { return };
    let (image, url) = (ALIBABA.image("ubuntu"), proxy.url());
    let export = export(&ALIBABA, &image);
    let exported = run_at(&url, world.folder(), &export);
    let cutting = async {
        let name = loop {
            let listed = world.api().list(Default::default()).await.operations;
            if let Some(first) = listed.first() {
                break first.name.clone();
            }
        };
        let request = WatchOperationRequest { name, from_revision: None };
        let mut news = world.api().operations.watch_operation(request).await.expect("a watch").into_inner();
        let mut cuts = 0;
        while let Some(answer) = news.message().await.expect("nobody cuts this one") {
            if answer.operation.expect("an operation").state() == OperationState::Running {
                proxy.cut("export", 0).await;
                cuts += 1;
            }
        }
        cuts
    };
    let (exported, cuts) = tokio::join!(exported, cutting);
    assert!(cuts > 3, "{cuts}");
    assert_succeeded(&exported);
    assert_eq!(world.clouds.audit().await.accepted_exports(&ALIBABA, &image), 1);
}

#[tokio::test]
async fn export_starts_once_when_the_answer_to_its_start_is_cut() {
    let Some((world, proxy)) = behind_proxy(Setup::default(), None).await else { return };
    let (image, url) = (ALIBABA.image("ubuntu"), proxy.url());
    let export = export(&ALIBABA, &image);
    // The server has the call and stands still, as a busy machine does.
    world.server().signal("STOP");
    let cutting = async {
        while proxy.calls("export", 0).await == 0 {
            tokio::task::yield_now().await;
        }
        proxy.cut("export", 0).await;
        world.server().signal("CONT");
    };
    let (exported, ()) = tokio::join!(run_at(&url, world.folder(), &export), cutting);
    assert_succeeded(&exported);
    assert_eq!(world.api().list(Default::default()).await.operations.len(), 1);
    assert_eq!(world.clouds.audit().await.accepted_exports(&ALIBABA, &image), 1);
}
