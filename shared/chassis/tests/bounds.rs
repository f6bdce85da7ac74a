//! What one connection may take of a server on a real socket: streams, headers, places of watchers, size of answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fake_store::{FakeStore, api, id, running};
use sampan_chassis::layers::{EdgeLimits, InFlightLimits};
use sampan_chassis::server::{ConnectionLimits, Drained, Options};
use sampan_chassis::{Listener, MAX_MESSAGE_BYTES, Server, Services};
use sampan_core::OperationId;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt as _;

type Client = OperationServiceClient<Channel>;
type Watch = Streaming<pb::WatchOperationResponse>;

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// The one operation of most stores.
fn known() -> OperationId {
    static ID: OnceLock<OperationId> = OnceLock::new();
    *ID.get_or_init(|| id(0))
}

async fn served(store: &Arc<FakeStore>, options: Options) -> Server {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
    Server::start(listener, Services::new().add(api(store).into_server()), store.clone(), options).await.unwrap()
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{address}")).unwrap()
}

async fn client(server: &Server) -> Client {
    Client::new(endpoint(server.address()).connect().await.unwrap())
}

/// A client that gives its streams so little room that one revision fills it.
async fn narrow(server: &Server) -> Client {
    Client::new(endpoint(server.address()).initial_stream_window_size(64).connect().await.unwrap())
}

async fn watch(client: &Client, id: OperationId) -> Result<Watch, Status> {
    let request = pb::WatchOperationRequest { name: id.name(), from_revision: None };
    client.clone().watch_operation(request).await.map(tonic::Response::into_inner)
}

async fn get(client: &Client, id: OperationId) -> Result<pb::Operation, Status> {
    let request = pb::GetOperationRequest { name: id.name() };
    let answer = tokio::time::timeout(PATIENCE, client.clone().get_operation(request)).await.expect("an answer");
    answer.map(|answer| answer.into_inner().operation.unwrap())
}

async fn next(watch: &mut Watch) -> i64 {
    let message = tokio::time::timeout(PATIENCE, watch.message()).await.expect("news").unwrap();
    let revision = message.expect("the watch goes on").operation.unwrap().revision;
    i64::try_from(revision).unwrap()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[tokio::test]
async fn a_connection_has_so_many_calls_at_once_and_further_ones_wait_for_a_place() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let connections = ConnectionLimits { streams: 2, ..ConnectionLimits::default() };
    let server = served(&store, Options { connections, ..Options::default() }).await;
    let full = client(&server).await;
    // A connection learns its bound with the first answer.
    get(&full, known()).await.unwrap();
    let first = watch(&full, known()).await.unwrap();
    let _second = watch(&full, known()).await.unwrap();
    let tasks = TaskTracker::new();
    let kept_back = tasks.spawn({
        let full = full.clone();
        async move { get(&full, known()).await }
    });
    // Other connections have their own places; their answers give the first one time to break the rule.
    for _ in 0..20 {
        get(&client(&server).await, known()).await.unwrap();
    }
    assert!(!kept_back.is_finished(), "a third call on a connection of two");
    drop(first);
    kept_back.await.unwrap().expect("the place is free again");
}

#[tokio::test]
async fn a_connection_too_many_is_closed_at_once_and_the_place_of_another_can_be_had_again() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    // Nobody is sent away for silence here.
    let connections = ConnectionLimits { at_once: 2, hello: 2 * PATIENCE, ..ConnectionLimits::default() };
    let server = served(&store, Options { connections, ..Options::default() }).await;
    let (first, second) = (client(&server).await, client(&server).await);
    for held in [&first, &second] {
        get(held, known()).await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(said_to(TcpStream::connect(server.address()).await.unwrap()).await, b"", "closed, without a word");
    }
    get(&first, known()).await.expect("who is connected stays so");
    drop(second);
    let free = async {
        loop {
            if let Ok(channel) = endpoint(server.address()).connect().await
                && get(&Client::new(channel), known()).await.is_ok()
            {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("a place");
}

#[tokio::test]
async fn a_connection_on_which_nobody_begins_is_closed_and_no_other() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let connections = ConnectionLimits { hello: Duration::from_millis(200), ..ConnectionLimits::default() };
    let server = served(&store, Options { connections, ..Options::default() }).await;
    let client = client(&server).await;
    let mut watched = watch(&client, known()).await.unwrap();
    assert_eq!(next(&mut watched).await, 1);
    for begun in ["", "PRI * HTTP/2.0"] {
        let mut silent = TcpStream::connect(server.address()).await.unwrap();
        silent.write_all(begun.as_bytes()).await.unwrap();
        said_to(silent).await;
    }
    store.change(known(), |record| record.percent = Some(1));
    assert_eq!(next(&mut watched).await, 2, "a connection that has begun may be silent");
}

/// Returns what the server says to a client that waits until the connection is closed.
async fn said_to(mut client: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    match tokio::time::timeout(PATIENCE, client.read_to_end(&mut said)).await.expect("closed") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    said
}

#[tokio::test]
async fn headers_that_are_too_large_end_their_own_call_alone() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let limits = EdgeLimits { header_bytes: 2_048, ..EdgeLimits::default() };
    let server = served(&store, Options { limits, ..Options::default() }).await;
    let client = client(&server).await;
    let mut watched = watch(&client, known()).await.unwrap();
    assert_eq!(next(&mut watched).await, 1);
    for (size, told) in [(4_000, "HEADERS_TOO_LARGE"), (12_000, "")] {
        let mut request = Request::new(pb::GetOperationRequest { name: known().name() });
        request.metadata_mut().insert("x-note", "n".repeat(size).parse().unwrap());
        let refused = client.clone().get_operation(request).await.unwrap_err();
        assert_eq!(reason(&refused), told, "{size} bytes: {refused:?}");
        assert!(!told.is_empty() || refused.message().contains("431"), "{refused:?}");
        get(&client, known()).await.unwrap();
    }
    store.change(known(), |record| record.percent = Some(1));
    assert_eq!(next(&mut watched).await, 2, "the watch of the same connection goes on");
}

#[tokio::test]
async fn a_watcher_that_does_not_read_is_made_no_revisions_for_and_gets_the_newest_when_it_reads() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let server = served(&store, Options::default()).await;
    let (other, narrow) = (client(&server).await, narrow(&server).await);
    let mut watched = watch(&narrow, known()).await.unwrap();
    for percent in 0..200_u8 {
        store.change(known(), |record| record.percent = Some(percent % 100));
        get(&other, known()).await.unwrap();
    }
    let mut read = Vec::new();
    while read.last() != Some(&201) {
        read.push(next(&mut watched).await);
    }
    assert!(read.len() <= 4, "so many revisions waited: {read:?}");
    assert!(read.is_sorted(), "{read:?}");
    store.change(known(), |record| record.percent = Some(100));
    assert_eq!(next(&mut watched).await, 202, "it goes on as any other");
}

#[tokio::test]
async fn hundreds_of_watchers_that_do_not_read_hold_their_own_places_and_nothing_else() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let limits = EdgeLimits { in_flight: InFlightLimits { short: 1, waiting: 400 }, ..EdgeLimits::default() };
    let server = served(&store, Options { limits, ..Options::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let narrow = narrow(&server).await;
        for _ in 0..100 {
            silent.push(watch(&narrow, known()).await.unwrap());
        }
    }
    let other = client(&server).await;
    let refused = watch(&other, known()).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().metadata["limit"], "server.max_waiting");
    for percent in 0..100 {
        store.change(known(), |record| record.percent = Some(percent));
        assert_eq!(get(&other, known()).await.expect("not delayed").revision, u64::from(percent) + 2);
    }
    drop(silent);
    becomes_free(&other).await;
}

#[tokio::test]
async fn a_watcher_that_does_not_read_holds_up_no_stop() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let server = served(&store, Options { grace: 10 * PATIENCE, ..Options::default() }).await;
    let (other, narrow) = (client(&server).await, narrow(&server).await);
    let _silent = watch(&narrow, known()).await.unwrap();
    for percent in 0..10 {
        store.change(known(), |record| record.percent = Some(percent));
        get(&other, known()).await.unwrap();
    }
    let drained = tokio::time::timeout(PATIENCE, server.shutdown(async {})).await.expect("long before its grace");
    assert_eq!(drained, Drained { workers: true, calls: false }, "what it was told last was not read");
}

#[tokio::test]
async fn a_call_at_work_has_the_whole_grace_of_a_stop() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let server = served(&store, Options { grace: Duration::from_secs(7), ..Options::default() }).await;
    let client = client(&server).await;
    store.hangs.store(true, Ordering::SeqCst);
    let tasks = TaskTracker::new();
    let call = tasks.spawn(async move { get(&client, known()).await });
    store.hung.notified().await;
    tokio::time::pause();
    let begun = Instant::now();
    let drained = server.shutdown(async {}).await;
    assert_eq!((begun.elapsed().as_secs(), drained.calls), (7, false));
    call.abort();
}

/// Watches until a place is free.
async fn becomes_free(client: &Client) -> Watch {
    let free = async {
        loop {
            match watch(client, known()).await {
                Ok(watch) => break watch,
                Err(status) => assert!(matches!(status.code(), Code::Unavailable | Code::Unknown), "{status:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("a place")
}

/// Carries one connection to a server, until it is dropped: then no byte comes through, and nothing is closed.
struct Line {
    address: SocketAddr,
    tasks: TaskTracker,
    carrying: Vec<tokio::task::JoinHandle<()>>,
    held: std::sync::mpsc::Receiver<Arc<TcpStream>>,
}

impl Line {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = TaskTracker::new();
        let (hold, held) = std::sync::mpsc::channel();
        let carry = async move {
            let near = Arc::new(listener.accept().await.unwrap().0);
            let far = Arc::new(TcpStream::connect(server).await.unwrap());
            for stream in [&near, &far] {
                hold.send(Arc::clone(stream)).unwrap();
            }
            tokio::join!(pump(&near, &far), pump(&far, &near));
        };
        let carrying = vec![tasks.spawn(carry)];
        Self { address, tasks, carrying, held }
    }

    /// Stops carrying; what is returned keeps the connection open.
    async fn cut(self) -> Vec<Arc<TcpStream>> {
        for task in &self.carrying {
            task.abort();
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.held.try_iter().collect()
    }
}

async fn pump(from: &TcpStream, to: &TcpStream) {
    let mut buffer = [0; 4096];
    loop {
        from.readable().await.unwrap();
        let Ok(count) = from.try_read(&mut buffer) else { continue };
        let mut left = &buffer[..count];
        if left.is_empty() {
            return;
        }
        while !left.is_empty() {
            to.writable().await.unwrap();
            if let Ok(count) = to.try_write(left) {
                left = &left[count..];
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_dead_is_closed_and_its_places_come_back() {
    let store = Arc::new(FakeStore::holding([running(known())]));
    let limits = EdgeLimits { in_flight: InFlightLimits { short: 8, waiting: 1 }, ..EdgeLimits::default() };
    let (ping_every, ping_timeout) = (Duration::from_millis(200), Duration::from_millis(500));
    let connections = ConnectionLimits { ping_every, ping_timeout, ..ConnectionLimits::default() };
    let server = served(&store, Options { limits, connections, ..Options::default() }).await;
    let line = Line::to(server.address()).await;
    let dying = Client::new(endpoint(line.address).connect().await.unwrap());
    let mut watched = watch(&dying, known()).await.unwrap();
    assert_eq!(next(&mut watched).await, 1);
    let other = client(&server).await;
    assert_eq!(reason(&watch(&other, known()).await.unwrap_err()), "OVERLOADED");
    let held = line.cut().await;
    assert_eq!(held.len(), 2, "both ends stay open");
    let mut revived = becomes_free(&other).await;
    assert_eq!(next(&mut revived).await, 1);
}

#[tokio::test]
async fn a_page_of_very_large_operations_ends_before_it_is_too_large_for_a_message() {
    const LARGE: usize = 700 * 1024;
    let ids: Vec<_> = (0..10).map(id).collect();
    let of = |id: &OperationId| {
        let mut record = running(*id);
        record.labels.insert("note".to_owned(), "n".repeat(LARGE));
        record
    };
    let store = Arc::new(FakeStore::holding(ids.iter().map(of)));
    let server = served(&store, Options::default()).await;
    let mut client = client(&server).await;
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListOperationsRequest { page_token, ..Default::default() };
        // A client of its usual bound reads every page.
        let page = client.list_operations(request).await.unwrap().into_inner();
        assert!(!page.operations.is_empty() && page.operations.len() * LARGE < MAX_MESSAGE_BYTES);
        seen.extend(page.operations.into_iter().map(|operation| operation.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ids.iter().rev().map(OperationId::name).collect::<Vec<_>>());
}
