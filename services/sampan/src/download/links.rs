//! Keeps the signed URLs of an operation's artifacts fresh.

use sampan_proto::export::v1::{CreateDownloadUrlsRequest, DownloadUrl};
use sampan_proto::operation::v1::Artifact;
use tokio::sync::Mutex;

use crate::client::{Client, Failure};
use crate::exit::Exit;

/// The artifacts of an operation and a URL for each.
#[derive(Debug)]
pub(super) struct Links {
    client: Client,
    operation: String,
    artifacts: Vec<Artifact>,
    urls: Mutex<Vec<DownloadUrl>>,
}

impl Links {
    /// Asks for the URLs of an operation.
    pub(super) async fn request(client: &Client, operation: &str) -> Result<Self, Failure> {
        let urls = ask(client, operation).await?;
        let artifacts: Vec<Artifact> = urls.iter().filter_map(|url| url.artifact.clone()).collect();
        if artifacts.len() != urls.len() || artifacts.is_empty() {
            return Err(Failure::new(Exit::Failed, format!("{operation} has no artifacts")));
        }
        Ok(Self { client: client.clone(), operation: operation.to_owned(), artifacts, urls: Mutex::new(urls) })
    }

    pub(super) fn len(&self) -> usize {
        self.artifacts.len()
    }

    /// Returns an artifact; `index` is below [`len`](Self::len).
    pub(super) fn artifact(&self, index: usize) -> &Artifact {
        &self.artifacts[index]
    }

    /// Returns the URL of an artifact as it is now.
    pub(super) async fn url(&self, index: usize) -> String {
        self.urls.lock().await.get(index).map(|url| url.url.clone()).unwrap_or_default()
    }

    /// Asks for new URLs when `stale` is still the current one: many streams notice an expired one at once.
    pub(super) async fn renew(&self, index: usize, stale: &str) -> Result<(), Failure> {
        let mut urls = self.urls.lock().await;
        if urls.get(index).is_some_and(|url| url.url == stale) {
            *urls = ask(&self.client, &self.operation).await?;
        }
        Ok(())
    }
}

async fn ask(client: &Client, operation: &str) -> Result<Vec<DownloadUrl>, Failure> {
    let request = CreateDownloadUrlsRequest { operation_name: operation.to_owned(), valid_for: None };
    Ok(client.exports().create_download_urls(request).await?.into_inner().urls)
}
