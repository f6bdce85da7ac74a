//! A peer that is down, at the start or later, stops nothing that can wait for it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod copy_support;
mod share_support;

use copy_support::{left, regions};
use sampan_proto::copy::v1 as pb;
use sampan_proto::operation::v1::OperationState;
use sampan_tests_e2e::{ALIBABA, Ground, Redis, Server, ServerFolder, Setup, TENCENT, free_port, spec_of};
use share_support::{holders, receivers};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

fn at(port: u16) -> String {
    format!("http://localhost:{port}")
}

async fn share_at(files: &ServerFolder, port: u16) -> Server {
    Server::start_role("share", files, &format!("127.0.0.1:{port}")).await
}

#[tokio::test]
async fn a_copy_waits_for_a_share_service_that_is_down_at_the_start_and_later() {
    let Some(redis) = Redis::start().await else { return };
    // The share service is asked 30 times before a copy is left unshared, which lasts longer than a start of it.
    let ground = Ground::new(&Setup { poll_scale: 0.1, ..Setup::default() }).await;
    let (port, nobody) = (free_port(), free_port());
    let peers = [("share", &[at(port)][..]), ("billing", &[at(nobody)][..])];
    let copy = Server::start_role("copy", &ground.process("copy", &redis.store(), &peers), "127.0.0.1:0").await;
    let api = copy.api();
    let health = HealthClient::new(api.channel.clone()).check(HealthCheckRequest::default()).await;
    assert_eq!(health.unwrap().into_inner().status(), ServingStatus::Serving, "peers are no part of readiness");

    let files = ground.process("share", &redis.store(), &[]);
    let mut share: Option<Server> = None;
    for lane in [TENCENT, ALIBABA] {
        if let Some(share) = share.take() {
            share.kill();
        }
        let image = ground.clouds.add_image(&lane, "golden").await;
        let spec = pb::CopySpec {
            share_with: receivers(&lane, 0..2),
            ..copy_support::spec(&lane, &image, &regions(&lane)[..1])
        };
        let preview = pb::PreviewCopyRequest { spec: Some(spec.clone()), keep_for: None };
        let preview = api.copies.clone().preview_copy(preview).await.expect("a preview").into_inner();
        assert!(preview.startable && preview.price_unavailable.starts_with("price unavailable: "), "{preview:#?}");
        let started = api.send_copy(copy_support::request(spec)).await.expect("accepted").name;
        api.until(&started, |operation| operation.step == "share_copies").await;
        share = Some(share_at(&files, port).await);
        let ended = api.ended(&started).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert!(ended.warnings.iter().all(|warning| warning.code != "SHARE_FAILED"), "{ended:#?}");
        let copied = left(&ended).images[0].reference.clone().unwrap().image_id;
        assert_eq!(holders(&ground.clouds, &copied).await, receivers(&lane, 0..2));
    }
}

#[tokio::test]
async fn of_several_addresses_of_a_peer_one_may_be_dead() {
    let Some(redis) = Redis::start().await else { return };
    let ground = Ground::new(&Setup::default()).await;
    let billing = ground.process("billing", &redis.store(), &[]);
    let [first, second] = [
        Server::start_role("billing", &billing, "127.0.0.1:0").await,
        Server::start_role("billing", &billing, "127.0.0.1:0").await,
    ];
    let urls = [at(free_port()), first.url().to_owned(), second.url().to_owned()];
    let files = ground.process("export", &redis.store(), &[("billing", &urls)]);
    let export = Server::start_role("export", &files, "127.0.0.1:0").await;
    let priced = async |what: &str| {
        for number in 0..12 {
            let preview = export.api().preview(spec_of(&ALIBABA, ALIBABA.image("ubuntu"))).await;
            assert!(preview.estimate.is_some(), "{what}, {number}: {}", preview.price_unavailable);
        }
    };
    priced("one of three was never there").await;
    first.kill();
    priced("one is left").await;
}
