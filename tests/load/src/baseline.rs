//! The bare baseline: a tonic handler of the same messages that does nothing, makes one durable write, or awaits one EVALSHA.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use prost::Message as _;
use redb::{Database, TableDefinition};
use sampan_proto::export::v1 as pb;
use sampan_proto::export::v1::export_service_server::{ExportService, ExportServiceServer};
use sampan_proto::operation::v1::Operation;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::script::Script;

const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("records");
/// Writes that one transaction takes.
const GROUP: usize = 1024;

type Write = (String, Vec<u8>, oneshot::Sender<()>);

/// Answers every start; makes a durable write first when it has a writer.
#[derive(Debug, Clone)]
struct Bare {
    writer: Option<mpsc::Sender<Write>>,
    script: Option<Script>,
}

#[tonic::async_trait]
impl ExportService for Bare {
    async fn preview_export(
        &self,
        _request: Request<pb::PreviewExportRequest>,
    ) -> Result<Response<pb::PreviewExportResponse>, Status> {
        Ok(Response::new(pb::PreviewExportResponse::default()))
    }

    async fn estimate_export(
        &self,
        _: Request<pb::EstimateExportRequest>,
    ) -> Result<Response<pb::EstimateExportResponse>, Status> {
        Ok(Response::new(pb::EstimateExportResponse::default()))
    }

    async fn export_image(
        &self,
        request: Request<pb::ExportImageRequest>,
    ) -> Result<Response<pb::ExportImageResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation { name: format!("operations/{}", uuid::Uuid::now_v7()), ..Operation::default() };
        if let Some(writer) = &self.writer {
            let (done, wait) = oneshot::channel();
            let write = (operation.name.clone(), request.encode_to_vec(), done);
            writer.send(write).await.map_err(|_| Status::unavailable("the writer ended"))?;
            wait.await.map_err(|_| Status::unavailable("the write failed"))?;
        }
        if let Some(script) = &self.script {
            let id = operation.name.trim_start_matches("operations/");
            let ran = script.run(id).await;
            ran.map_err(|error| Status::unavailable(error.to_string()))?;
        }
        Ok(Response::new(pb::ExportImageResponse { operation: Some(operation) }))
    }

    async fn create_download_urls(
        &self,
        _request: Request<pb::CreateDownloadUrlsRequest>,
    ) -> Result<Response<pb::CreateDownloadUrlsResponse>, Status> {
        Ok(Response::new(pb::CreateDownloadUrlsResponse::default()))
    }
}

/// Serves the baseline until it is killed; prints the same ready line as Sampan.
pub async fn serve(store: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let writer = if store { Some(writer(&folder.path().join("bare.redb"))?) } else { None };
    serve_as(Bare { writer, script: None }).await
}

/// Serves the baseline that makes one EVALSHA per call: the least one, or that of the program `recorded_from`.
pub async fn serve_on_redis(url: &str, recorded_from: Option<&Path>) -> Result<()> {
    let script = match recorded_from {
        Some(sampan) => Script::recorded_of(sampan, url).await?,
        None => Script::least(url).await?,
    };
    serve_as(Bare { writer: None, script: Some(script) }).await
}

async fn serve_as(bare: Bare) -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("{}", serde_json::json!({ "ready": true, "listeners": [{ "url": url }] }));
    let incoming = TcpListenerStream::new(listener);
    tonic::transport::Server::builder()
        .add_service(ExportServiceServer::new(bare))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// One thread that takes everything that is queued into one durable transaction.
fn writer(path: &Path) -> Result<mpsc::Sender<Write>> {
    let database = Arc::new(Database::create(path)?);
    let (sender, mut queue) = mpsc::channel::<Write>(GROUP);
    std::thread::spawn(move || {
        let mut group = Vec::new();
        while queue.blocking_recv_many(&mut group, GROUP) > 0 {
            let written = write(&database, &group);
            for (_, _, done) in group.drain(..).filter(|_| written.is_ok()) {
                // The caller may have gone.
                let _ = done.send(());
            }
        }
    });
    Ok(sender)
}

fn write(database: &Database, group: &[Write]) -> Result<()> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(TABLE)?;
        for (key, value, _) in group {
            table.insert(key.as_str(), value.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
