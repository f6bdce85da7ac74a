//! Operations can be waited for, followed and listed; the server tells its health and describes itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::{Duration, Instant};

use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::image::v1::Cloud;
use sampan_proto::operation::v1::{
    ListOperationsRequest, Operation, OperationKind, OperationState, WaitOperationRequest, WatchOperationRequest,
};
use sampan_tests_e2e::{ALIBABA, Api, Lane, Setup, TENCENT, World, request, spec_of};
use tonic::Code;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

const SERVICES: [&str; 3] =
    ["sampan.export.v1.ExportService", "sampan.operation.v1.OperationService", "sampan.quota.v1.QuotaService"];

async fn watch(api: &Api, name: &str, from_revision: Option<u64>) -> Vec<Operation> {
    let request = WatchOperationRequest { name: name.to_owned(), from_revision };
    let mut stream = api.operations.clone().watch_operation(request).await.expect("a watch").into_inner();
    let mut states = Vec::new();
    while let Some(message) = stream.message().await.expect("the watch ends well") {
        states.push(message.operation.expect("an operation"));
    }
    states
}

#[tokio::test]
async fn a_watch_sends_growing_revisions_and_ends_with_the_final_one() {
    let world = World::start().await;
    for lane in [TENCENT, ALIBABA] {
        let api = world.api();
        let operation = api.start(spec_of(&lane, lane.image("debian"))).await;
        let states = watch(&api, &operation.name, None).await;
        assert!(states.windows(2).all(|pair| pair[0].revision < pair[1].revision));
        let last = states.last().expect("a state");
        assert_eq!((last.done, last.state()), (true, OperationState::Succeeded));
        assert!(states.len() > 1 && states[..states.len() - 1].iter().all(|state| !state.done));
    }
}

#[tokio::test]
async fn a_watch_resumes_from_a_revision_and_never_misses_the_end() {
    let world = World::with(Setup { export_takes: Duration::from_millis(800), ..Setup::default() }).await;
    let api = world.api();
    let operation = api.start(spec_of(&ALIBABA, ALIBABA.image("debian"))).await;
    let request = WatchOperationRequest { name: operation.name.clone(), from_revision: Some(0) };
    let mut stream = api.operations.clone().watch_operation(request).await.expect("a watch").into_inner();
    let seen = stream.message().await.expect("a state").and_then(|first| first.operation).expect("a state").revision;
    // The reader goes away and comes back.
    drop(stream);
    let states = watch(&api, &operation.name, Some(seen)).await;
    assert!(states.iter().all(|state| state.revision > seen), "an old state was sent again");
    let last = states.last().expect("the final state");
    assert!(last.done);
    // After the end, too, and even for a reader that has seen it.
    for from in [None, Some(seen), Some(last.revision), Some(u64::MAX)] {
        let states = watch(&api, &operation.name, from).await;
        assert_eq!(states.iter().map(|state| state.revision).collect::<Vec<_>>(), [last.revision], "{from:?}");
    }
}

#[tokio::test]
async fn a_wait_ends_with_its_timeout_or_with_the_operation() {
    let world = World::with(Setup { export_takes: Duration::from_secs(2), ..Setup::default() }).await;
    let api = world.api();
    let operation = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    for timeout in [Duration::ZERO, Duration::from_millis(300)] {
        let begun = Instant::now();
        let state = api.wait(&operation.name, timeout).await;
        assert!(!state.done && begun.elapsed() >= timeout, "{:?}", begun.elapsed());
        assert!(begun.elapsed() < timeout + Duration::from_millis(1500), "{:?}", begun.elapsed());
    }
    // The deadline of the call bounds a wait that names none, and is no error.
    let mut wait = tonic::Request::new(WaitOperationRequest { name: operation.name.clone(), timeout: None });
    wait.set_timeout(Duration::from_millis(600));
    let state = api.operations.clone().wait_operation(wait).await.expect("an answer, no error").into_inner();
    assert!(!state.operation.expect("an operation").done);
    let begun = Instant::now();
    assert!(api.wait(&operation.name, Duration::from_secs(60)).await.done);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn lists_are_paged_newest_first_and_filtered() {
    let world = World::start().await;
    let api = world.api();
    let shanghai = Lane { region: "ap-shanghai", bucket: "sampan-shanghai-1250000000", ..TENCENT };
    let mut started = Vec::new();
    for (lane, image, team) in [
        (TENCENT, TENCENT.image("ubuntu"), "red"),
        (TENCENT, TENCENT.image("windows"), "blue"),
        (shanghai, "img-shangha1".to_owned(), "red"),
        (ALIBABA, ALIBABA.image("ubuntu"), "red"),
        (ALIBABA, ALIBABA.image("windows"), "blue"),
    ] {
        let labels = [("team".to_owned(), team.to_owned()), ("run".to_owned(), "7".to_owned())].into();
        let start = ExportImageRequest { labels, ..request(spec_of(&lane, image)) };
        started.push(api.send(start).await.expect("started").name);
    }
    for name in &started {
        api.ended(name).await;
    }
    started.reverse();

    let all = ListOperationsRequest::default();
    let mut paged = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = ListOperationsRequest { page_size: 2, page_token, ..all.clone() };
        let page = api.list(page).await;
        assert!(page.operations.len() <= 2);
        paged.extend(page.operations.into_iter().map(|operation| operation.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, started);

    let find = |filter: ListOperationsRequest| {
        let api = api.clone();
        async move {
            let list = api.list(filter).await;
            list.operations.into_iter().map(|operation| operation.name).collect::<Vec<_>>()
        }
    };
    let label = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let pick = |indexes: &[usize]| indexes.iter().map(|index| started[*index].clone()).collect::<Vec<_>>();
    // `started` is newest first: windows and ubuntu of Alibaba, Shanghai, windows and ubuntu of Tencent.
    assert_eq!(find(ListOperationsRequest { cloud: Cloud::Alibaba.into(), ..all.clone() }).await, pick(&[0, 1]));
    assert_eq!(find(ListOperationsRequest { account: "tencent".into(), ..all.clone() }).await, pick(&[2, 3, 4]));
    assert_eq!(find(ListOperationsRequest { region: "ap-shanghai".into(), ..all.clone() }).await, pick(&[2]));
    assert_eq!(
        find(ListOperationsRequest { states: vec![OperationState::Failed.into()], ..all.clone() }).await,
        pick(&[0, 3])
    );
    assert_eq!(find(ListOperationsRequest { labels: label("team", "red"), ..all.clone() }).await, pick(&[1, 2, 4]));
    assert_eq!(find(ListOperationsRequest { kinds: vec![OperationKind::Export.into()], ..all.clone() }).await, started);
    let none: Vec<String> = Vec::new();
    assert_eq!(find(ListOperationsRequest { labels: label("team", "green"), ..all.clone() }).await, none);
    assert_eq!(find(ListOperationsRequest { states: vec![OperationState::Running.into()], ..all.clone() }).await, none);
    assert_eq!(find(ListOperationsRequest { caller: "somebody".into(), ..all.clone() }).await, none);
    let both = ListOperationsRequest {
        cloud: Cloud::Tencent.into(),
        states: vec![OperationState::Succeeded.into()],
        labels: label("run", "7"),
        ..all.clone()
    };
    assert_eq!(find(both).await, pick(&[2, 4]));

    // A token belongs to its filters.
    let first = ListOperationsRequest { page_size: 1, ..all.clone() };
    let token = api.list(first).await.next_page_token;
    let other = ListOperationsRequest { page_token: token, account: "alibaba".into(), ..all };
    let refused = api.operations.clone().list_operations(other).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn health_answers_for_the_whole_and_for_every_service() {
    let world = World::start().await;
    let mut health = HealthClient::new(world.api().channel);
    for service in std::iter::once("").chain(SERVICES) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap_or_else(|status| panic!("{service}: {status}")).into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let unknown = health.check(HealthCheckRequest { service: "sampan.none.v1.None".to_owned() }).await;
    assert_eq!(unknown.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test]
async fn a_stopping_server_ends_well_and_loses_nothing() {
    let setup = Setup { is_durable: true, export_takes: Duration::from_secs(1), ..Setup::default() };
    let mut world = World::with(setup).await;
    let mut names = Vec::new();
    for lane in [TENCENT, ALIBABA] {
        names.push((lane, world.api().start(spec_of(&lane, lane.image("ubuntu"))).await.name));
    }
    let status = world.take_server().stop().await;
    assert!(status.success(), "{status}");
    world.start_again().await;
    for (lane, name) in names {
        let ended = world.api().ended(&name).await;
        assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
        assert_eq!(world.clouds.audit().await.accepted_exports(&lane, &lane.image("ubuntu")), 1);
    }
}

macro_rules! lists_services {
    ($name:ident, $version:ident) => {
        #[tokio::test]
        async fn $name() {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            let world = World::start().await;
            let mut client = ServerReflectionClient::new(world.api().channel);
            let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
            let symbol = "sampan.export.v1.ExportService".to_owned();
            let questions =
                [ask(MessageRequest::ListServices(String::new())), ask(MessageRequest::FileContainingSymbol(symbol))];
            let stream = futures::stream::iter(questions);
            let mut answers = client.server_reflection_info(stream).await.expect("reflection").into_inner();
            let first = answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
            let Some(MessageResponse::ListServicesResponse(list)) = first else { panic!("{first:?}") };
            let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
            for service in SERVICES.iter().chain(&["grpc.health.v1.Health"]) {
                assert!(names.contains(service), "{service} is not in {names:?}");
            }
            let second = answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
            let Some(MessageResponse::FileDescriptorResponse(files)) = second else { panic!("{second:?}") };
            assert!(!files.file_descriptor_proto.is_empty());
        }
    };
}

lists_services!(reflection_v1_lists_and_describes_every_service, v1);
lists_services!(reflection_v1alpha_lists_and_describes_every_service, v1alpha);
