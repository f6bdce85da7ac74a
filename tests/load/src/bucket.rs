//! A bucket that costs as little as it can: one object of random bytes in memory, over plain HTTP with ranges, and
//! the one call that tells `sampan download` where it lies.
//!
//! The simulator checks signatures and makes its objects as they are read; with server and clients on the same cores
//! that would be measured instead of the clients.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use http::{HeaderMap, StatusCode, header};
use sampan_proto::export::v1 as pb;
use sampan_proto::export::v1::export_service_server::{ExportService, ExportServiceServer};
use sampan_proto::operation::v1::Artifact;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Status};

/// Length of the random bytes that the object repeats: no multiple of a block, so that no two blocks are equal soon.
const PATTERN_BYTES: usize = 4 * 1024 * 1024 + 1003;
/// Bytes handed to the connection at once.
const PIECE_BYTES: usize = 256 * 1024;
/// Name of the object.
const KEY: &str = "object";
const ETAG: &str = "load";

/// The object: `size` bytes that repeat the pattern.
#[derive(Debug, Clone)]
struct Object {
    pattern: Bytes,
    size: u64,
}

impl Object {
    fn new(mib: u64) -> Result<Self> {
        let mut pattern = vec![0; PATTERN_BYTES];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut pattern)?;
        Ok(Self { pattern: pattern.into(), size: mib * 1024 * 1024 })
    }

    /// Returns the bytes from `start` to before `end` in pieces that copy nothing.
    fn pieces(&self, start: u64, end: u64) -> impl Iterator<Item = Bytes> + use<> {
        let (pattern, mut at) = (self.pattern.clone(), start);
        std::iter::from_fn(move || {
            let from = usize::try_from(at % PATTERN_BYTES as u64).unwrap_or_default();
            let left = usize::try_from(end - at).unwrap_or(usize::MAX);
            let length = left.min(PIECE_BYTES).min(PATTERN_BYTES - from);
            at += length as u64;
            (length > 0).then(|| pattern.slice(from..from + length))
        })
    }

    fn crc64(&self) -> u64 {
        let mut digest = Digest::new(CrcAlgorithm::Crc64Xz);
        self.pieces(0, self.size).for_each(|piece| digest.update(&piece));
        digest.finalize()
    }
}

/// Serves an object of `mib` MiB until it is killed; the ready line tells the address of the gRPC call and of the
/// object.
pub async fn serve(mib: u64) -> Result<()> {
    let object = Arc::new(Object::new(mib)?);
    let http = TcpListener::bind("127.0.0.1:0").await?;
    let grpc = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/{KEY}", http.local_addr()?);
    let artifact = Artifact {
        key: KEY.to_owned(),
        size_bytes: object.size,
        etag: ETAG.to_owned(),
        crc64: object.crc64().to_string(),
        ..Artifact::default()
    };
    let listener = format!("http://{}", grpc.local_addr()?);
    println!("{}", serde_json::json!({ "ready": true, "listeners": [{ "url": listener }], "object": url }));
    let router = Router::new().route(&format!("/{KEY}"), get(answer)).with_state(object);
    let links = tonic::transport::Server::builder()
        .add_service(ExportServiceServer::new(Links { artifact, url }))
        .serve_with_incoming(TcpListenerStream::new(grpc));
    tokio::select! {
        served = axum::serve(http, router) => served?,
        served = links => served?,
    }
    Ok(())
}

/// Answers GET and HEAD, with a range of the form `bytes=FIRST-LAST`, or `bytes=FIRST-`.
async fn answer(State(object): State<Arc<Object>>, headers: HeaderMap) -> Response {
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, start, end) = match range.map(|range| parse(range, object.size)) {
        None => (StatusCode::OK, 0, object.size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end),
        Some(None) => return StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
    };
    let pieces = object.pieces(start, end).map(Ok::<_, std::convert::Infallible>);
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_LENGTH, end - start)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT")
        .header(header::ETAG, format!("\"{ETAG}\""));
    if status == StatusCode::PARTIAL_CONTENT {
        response = response.header(header::CONTENT_RANGE, format!("bytes {start}-{}/{}", end - 1, object.size));
    }
    let body = Body::from_stream(futures::stream::iter(pieces));
    response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn parse(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start = first.parse().ok()?;
    let end = if last.is_empty() { size } else { last.parse::<u64>().ok()?.saturating_add(1).min(size) };
    (start < end).then_some((start, end))
}

/// Tells where the object lies, whatever the operation.
#[derive(Debug, Clone)]
struct Links {
    artifact: Artifact,
    url: String,
}

#[tonic::async_trait]
impl ExportService for Links {
    async fn preview_export(
        &self,
        _request: Request<pb::PreviewExportRequest>,
    ) -> Result<tonic::Response<pb::PreviewExportResponse>, Status> {
        Ok(tonic::Response::new(Default::default()))
    }

    async fn estimate_export(
        &self,
        _request: Request<pb::EstimateExportRequest>,
    ) -> Result<tonic::Response<pb::EstimateExportResponse>, Status> {
        Ok(tonic::Response::new(Default::default()))
    }

    async fn export_image(
        &self,
        _request: Request<pb::ExportImageRequest>,
    ) -> Result<tonic::Response<pb::ExportImageResponse>, Status> {
        Ok(tonic::Response::new(Default::default()))
    }

    async fn create_download_urls(
        &self,
        _request: Request<pb::CreateDownloadUrlsRequest>,
    ) -> Result<tonic::Response<pb::CreateDownloadUrlsResponse>, Status> {
        let url = pb::DownloadUrl { artifact: Some(self.artifact.clone()), url: self.url.clone(), expire_time: None };
        Ok(tonic::Response::new(pb::CreateDownloadUrlsResponse { urls: vec![url] }))
    }
}
