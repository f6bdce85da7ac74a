//! `sampan download`: every artifact of an export, in parallel streams, resumed where it broke off, checked.
//!
//! [`parts`] cuts a file and remembers in [`notes`] which parts are there, [`fetch`] brings the missing ones, [`unpack`] follows
//! behind and unpacks, [`sparse`] leaves holes out, [`links`] keeps the signed URLs fresh.

mod block;
mod fetch;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod links;
mod notes;
mod parts;
mod sparse;
mod unpack;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sampan_proto::operation::v1::Packing;
use serde::Serialize;

use links::Links;
use parts::Layout;

use crate::cli::{DownloadArgs, Output};
use crate::client::{Client, Failure, operation_name};
use crate::exit::Exit;
use crate::output::{style, words};

/// How to download.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for the files.
    pub folder: PathBuf,
    /// Whether archives are unpacked while they arrive.
    pub unpack: bool,
    /// Parallel streams per file.
    pub streams: usize,
    /// Whether bars are drawn (on a terminal).
    pub show_progress: bool,
}

/// One file that is there, complete and checked.
#[derive(Debug, Clone, Serialize)]
pub struct Downloaded {
    /// Object that it came from.
    pub object: String,
    /// The file.
    pub path: PathBuf,
    /// Size of the object in bytes.
    pub object_bytes: u64,
    /// CRC-64/XZ of the object, computed here; it equals the bucket's where that is known.
    pub crc64: String,
    /// Whether the bucket told a CRC-64 to compare with.
    pub is_checked: bool,
    /// Bytes that came over the network this time.
    pub fetched_bytes: u64,
    /// Whether the file was unpacked from the object.
    pub is_unpacked: bool,
}

/// Downloads the artifacts of an operation and prints what is there.
///
/// # Errors
/// [`Failure`] when the operation has no artifacts, a file cannot be written, or a check fails.
pub async fn download(args: DownloadArgs) -> Result<Exit, Failure> {
    let client = Client::connect(&args.client).await?;
    let options = Options {
        folder: args.to,
        unpack: args.unpack,
        streams: usize::from(args.streams),
        show_progress: args.client.output == Output::Table,
    };
    let name = operation_name(&args.name);
    let done = tokio::select! {
        done = operation(&client, &name, &options) => done?,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("stopped; the same command goes on where it broke off");
            return Ok(Exit::Interrupted);
        }
    };
    match args.client.output {
        Output::Json => words::line(&serde_json::to_string(&done).unwrap_or_default()),
        Output::Table => print(&done),
    }
    .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(Exit::Done)
}

/// Downloads the artifacts of an operation.
///
/// Files appear under their final name only when they are complete and checked; until then they end in `.part`.
///
/// # Errors
/// As [`download`].
pub async fn operation(client: &Client, name: &str, options: &Options) -> Result<Vec<Downloaded>, Failure> {
    let links = Arc::new(Links::request(client, name).await?);
    std::fs::create_dir_all(&options.folder).map_err(|error| cannot_write(&options.folder, &error))?;
    let mut done = Vec::new();
    for index in 0..links.len() {
        done.push(artifact(&links, index, options).await?);
    }
    Ok(done)
}

async fn artifact(links: &Arc<Links>, index: usize, options: &Options) -> Result<Downloaded, Failure> {
    let artifact = links.artifact(index);
    let name = artifact
        .key
        .rsplit('/')
        .next()
        .filter(|name| is_plain(name))
        .ok_or_else(|| Failure::new(Exit::Failed, format!("object {} has no usable file name", artifact.key)))?;
    let archive = options.folder.join(name);
    let unpacks = options.unpack && artifact.packing == Packing::TarGzip as i32;
    let expected = artifact.crc64.parse::<u64>().ok();
    let layout = Layout::open(&archive, (artifact.size_bytes, &artifact.etag), expected, unpacks);
    let layout = Arc::new(layout.map_err(|error| cannot_write(&archive, &error))?);
    let unpacked = unpacks.then(|| options.folder.join(unpacked_name(name)));
    let fetched = fetch::bring(links, index, &layout, options, unpacked.as_deref()).await.map_err(Failure::from)?;
    let path = match unpacked {
        Some(path) => {
            layout.discard().map_err(|error| cannot_write(&archive, &error))?;
            path
        }
        None => {
            layout.finish().map_err(|error| cannot_write(&archive, &error))?;
            archive
        }
    };
    Ok(Downloaded {
        object: artifact.key.clone(),
        path,
        object_bytes: artifact.size_bytes,
        crc64: fetched.crc64.to_string(),
        is_checked: expected.is_some(),
        fetched_bytes: fetched.bytes,
        is_unpacked: unpacks,
    })
}

/// A name that stays in the folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

fn unpacked_name(archive: &str) -> &str {
    archive.strip_suffix(".tar.gz").unwrap_or(archive)
}

fn print(done: &[Downloaded]) -> anyhow::Result<()> {
    let mut table =
        style::table(["file", "object size", "crc-64", "check"]).expendable(&["crc-64", "object size", "check"]);
    for file in done {
        let check = match (file.is_checked, file.is_unpacked) {
            (true, true) => "equal to the bucket's, unpacked",
            (true, false) => "equal to the bucket's",
            (false, _) => "the bucket tells none",
        };
        table.add_row([
            file.path.display().to_string(),
            words::bytes(file.object_bytes),
            file.crc64.clone(),
            check.to_owned(),
        ]);
    }
    words::line(&table.to_string())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("{} cannot be written: {error}", path.display()))
        .advice("make room or choose another folder with --to, and run the same command again")
}
