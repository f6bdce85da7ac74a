//! Brings the missing parts of a file in parallel streams and checks the whole.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use futures::StreamExt as _;
use http::{StatusCode, header};
use indicatif::ProgressBar;
use sampan_cloud::stack::Transport;
use sampan_core::retry::RetryPolicy;
use sampan_proto::operation::v1::Artifact;
use tokio::task::JoinSet;

use super::Options;
use super::block::Block;
use super::links::Links;
use super::parts::Layout;
use super::unpack::{self, Room, Watermark};
use crate::client::Failure;
use crate::exit::Exit;
use crate::output::progress;

/// Bytes that a stream gathers before they are written: few waits for the disk, little memory.
const WRITE_BYTES: usize = 1024 * 1024;
/// A stream that brings nothing for so long is broken off and begun again.
const SILENCE: Duration = Duration::from_secs(30);

/// What was brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fetched {
    /// CRC-64 of the whole.
    pub(super) crc64: u64,
    /// Bytes that came over the network.
    pub(super) bytes: u64,
}

/// Why a file could not be brought.
#[derive(Debug)]
pub enum Failed {
    /// The disk refused.
    Disk(io::Error),
    /// The network or the bucket failed after every permitted attempt.
    Network(String),
    /// The object is not the one that the operation proved.
    Changed,
    /// The bytes are not those of the bucket, even when fetched anew.
    Crc {
        /// CRC-64 that the bucket told.
        expected: u64,
        /// CRC-64 of what came.
        found: u64,
    },
    /// The archive cannot be unpacked.
    Unpack(io::Error),
    /// The server refused new links.
    Links(Failure),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "the file cannot be written: {error}"),
            Self::Network(what) => write!(f, "the object cannot be read: {what}"),
            Self::Changed => f.write_str("the object changed since the export was proven"),
            Self::Crc { expected, found } => write!(f, "the CRC-64 is {found}, the bucket says {expected}"),
            Self::Unpack(error) => write!(f, "the archive cannot be unpacked: {error}"),
            Self::Links(failure) => f.write_str(&failure.message),
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        let advice = match &failed {
            Failed::Disk(_) => "make room or choose another folder with --to, and run the same command again",
            Failed::Network(_) => "run the same command again; it goes on where it broke off",
            Failed::Changed => "export the image again, with a prefix that nothing else writes to",
            Failed::Crc { .. } | Failed::Unpack(_) => {
                "run the same command again; if it stays so, export the image again"
            }
            Failed::Links(failure) => return failure.clone(),
        };
        let exit = if matches!(failed, Failed::Network(_)) { Exit::Unavailable } else { Exit::Failed };
        Self::new(exit, failed.to_string()).advice(advice)
    }
}

/// One file on its way; shared by its streams.
struct Job {
    links: Arc<Links>,
    index: usize,
    layout: Arc<Layout>,
    transport: Transport,
    bar: ProgressBar,
    watermark: Arc<Watermark>,
    fetched: AtomicU64,
}

/// Brings what is missing, in `options.streams` streams, and unpacks behind them when `unpacked` names a file.
pub(super) async fn bring(
    links: &Arc<Links>,
    index: usize,
    layout: &Arc<Layout>,
    options: &Options,
    unpacked: Option<&Path>,
) -> Result<Fetched, Failed> {
    let job = Arc::new(Job {
        links: Arc::clone(links),
        index,
        layout: Arc::clone(layout),
        transport: Transport::new(),
        bar: bar(layout, links.artifact(index), options.show_progress),
        watermark: Watermark::new(),
        fetched: AtomicU64::new(0),
    });
    let outcome = match unpacked {
        None => job.bring_all(options.streams).await,
        Some(path) => {
            // The watermark ends the unpacker whatever becomes of the streams, so the scope never hangs.
            let size_gib = links.artifact(index).disk.as_ref().map_or(0, |disk| disk.size_gib);
            let room = Room::of(size_gib, path);
            let unpacking = unpack::follow(Arc::clone(layout), Arc::clone(&job.watermark), path, room);
            let (brought, unpacked) = tokio::join!(job.bring_and_close(options.streams), unpacking);
            let crc64 = brought?;
            unpacked.map_err(Failed::Unpack)?.keep(path).map_err(Failed::Disk)?;
            Ok(crc64)
        }
    };
    job.bar.finish_and_clear();
    outcome.map(|crc64| Fetched { crc64, bytes: job.fetched.load(Ordering::Relaxed) })
}

fn bar(layout: &Layout, artifact: &Artifact, show: bool) -> ProgressBar {
    let bar = progress::download_bar(artifact, show);
    bar.set_position(layout.present_bytes());
    bar.reset_eta();
    bar
}

impl Job {
    async fn bring_and_close(self: &Arc<Self>, streams: usize) -> Result<u64, Failed> {
        let outcome = self.bring_all(streams).await;
        self.watermark.close(outcome.is_ok());
        outcome
    }

    async fn bring_all(self: &Arc<Self>, streams: usize) -> Result<u64, Failed> {
        // A second round is for parts of an old file that turned out to be wrong.
        for _ in 0..2 {
            self.watermark.restart(&self.layout);
            self.bring_missing(streams).await?;
            let found = self.layout.crc64().ok_or_else(|| Failed::Network("a part is missing".to_owned()))?;
            match self.layout.expected {
                Some(expected) if expected != found => {
                    if !self.layout.distrust() {
                        self.layout.forget();
                        return Err(Failed::Crc { expected, found });
                    }
                    self.bar.set_position(self.layout.present_bytes());
                }
                _ => return Ok(found),
            }
        }
        Err(Failed::Network("the parts of an older file cannot be replaced".to_owned()))
    }

    /// Brings the missing parts, each stream in a task of its own, so that they use every core.
    async fn bring_missing(self: &Arc<Self>, streams: usize) -> Result<(), Failed> {
        let missing = self.layout.missing();
        let streams = streams.clamp(1, missing.len().max(1));
        let missing = Arc::new(Mutex::new(missing.into_iter()));
        // Dropping the set ends the streams that are left.
        let mut work = JoinSet::new();
        for _ in 0..streams {
            let (job, missing) = (Arc::clone(self), Arc::clone(&missing));
            work.spawn(async move {
                let mut block = Block::new(WRITE_BYTES);
                let next = || missing.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some(part) = next() {
                    job.bring_part(part, &mut block).await?;
                }
                Ok(())
            });
        }
        while let Some(ended) = work.join_next().await {
            ended.map_err(|fault| Failed::Network(format!("a stream broke down: {fault}")))??;
        }
        Ok(())
    }

    /// Brings one part, from where the stream broke off last.
    async fn bring_part(&self, part: usize, block: &mut Block) -> Result<(), Failed> {
        let (start, length) = self.layout.range(part);
        let policy = RetryPolicy { max_attempts: 8, max_elapsed: Duration::from_secs(300), ..RetryPolicy::default() };
        let mut schedule = policy.schedule();
        let begun = Instant::now();
        let mut progress = Progress { digest: Digest::new(CrcAlgorithm::Crc64Xz), done: 0 };
        loop {
            let url = self.links.url(self.index).await;
            match self.stream(&url, (start, length), &mut progress, block).await {
                Ok(()) => break,
                Err(Broken::Fatal(failed)) => return Err(failed),
                Err(Broken::Expired) => self.links.renew(self.index, &url).await.map_err(Failed::Links)?,
                Err(Broken::Passing(what)) => {
                    let delay = schedule.next_delay(begun.elapsed(), None).ok_or(Failed::Network(what))?;
                    tokio::time::sleep(delay).await;
                }
            }
        }
        self.layout.complete(part, progress.digest.finalize()).map_err(Failed::Disk)?;
        self.watermark.raise(&self.layout);
        Ok(())
    }

    async fn stream(
        &self,
        url: &str,
        (start, length): (u64, u64),
        progress: &mut Progress,
        block: &mut Block,
    ) -> Result<(), Broken> {
        let range = format!("bytes={}-{}", start + progress.done, start + length - 1);
        let request = http::Request::get(url).header(header::RANGE, range).body(Bytes::new());
        let request = request.map_err(|_| Broken::Fatal(Failed::Network("the link is no URL".to_owned())))?;
        let opened = tokio::time::timeout(SILENCE, self.transport.open(request)).await;
        let answer = opened.map_err(|_| silent())?.map_err(|fault| Broken::Passing(fault.to_string()))?;
        self.judge(&answer, length - progress.done)?;
        let mut body = answer.into_body();
        block.clear();
        let ended = loop {
            match tokio::time::timeout(SILENCE, body.next()).await {
                Ok(Some(Ok(mut piece))) => {
                    while !piece.is_empty() && progress.done + (block.bytes().len() as u64) < length {
                        block.gather(&mut piece, length - progress.done - block.bytes().len() as u64);
                        if block.is_full() {
                            self.keep(start, block, progress).await?;
                        }
                    }
                }
                Ok(None) => break Broken::Passing("the answer ended early".to_owned()),
                Ok(Some(Err(fault))) => break Broken::Passing(fault.to_string()),
                Err(_) => break silent(),
            }
        };
        // What has arrived is kept even when the stream broke: the next attempt goes on behind it.
        if progress.done + (block.bytes().len() as u64) < length {
            block.round_down();
        }
        self.keep(start, block, progress).await?;
        if progress.done == length { Ok(()) } else { Err(ended) }
    }

    fn judge<B>(&self, answer: &http::Response<B>, wanted: u64) -> Result<(), Broken> {
        let status = answer.status();
        let is_whole = status == StatusCode::OK && wanted == self.layout.size_bytes;
        match status {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::OK if is_whole => {}
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => return Err(Broken::Expired),
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => return Err(Broken::Fatal(Failed::Changed)),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Broken::Passing(format!("the bucket answers {status}")));
            }
            status => return Err(Broken::Fatal(Failed::Network(format!("the bucket answers {status}")))),
        }
        let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
        let proven = &self.links.artifact(self.index).etag;
        match etag {
            Some(etag) if !proven.is_empty() && etag.trim_matches('"') != proven => Err(Broken::Fatal(Failed::Changed)),
            _ => Ok(()),
        }
    }

    /// Writes a block behind what is there already, on a thread that may wait for the disk.
    async fn keep(&self, start: u64, block: &mut Block, progress: &mut Progress) -> Result<(), Broken> {
        let count = block.bytes().len() as u64;
        progress.digest.update(block.bytes());
        let (layout, full, at) = (Arc::clone(&self.layout), std::mem::take(block), start + progress.done);
        let write = move || (layout.write(&full, at), full);
        let (written, full) = tokio::task::spawn_blocking(write)
            .await
            .map_err(|fault| Broken::Fatal(Failed::Disk(io::Error::other(fault))))?;
        written.map_err(|error| Broken::Fatal(Failed::Disk(error)))?;
        *block = full;
        block.clear();
        progress.done += count;
        self.bar.inc(count);
        self.fetched.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Job {
    /// Lets the unpacker go when the download is given up half-way: its thread would wait for ever.
    fn drop(&mut self) {
        self.watermark.close(false);
    }
}

/// How far one part is.
struct Progress {
    digest: Digest,
    done: u64,
}

/// Why a stream broke off.
enum Broken {
    /// Worth another attempt.
    Passing(String),
    /// The link does not work any more.
    Expired,
    /// Not worth another attempt.
    Fatal(Failed),
}

fn silent() -> Broken {
    Broken::Passing(format!("nothing arrived for {} s", SILENCE.as_secs()))
}
