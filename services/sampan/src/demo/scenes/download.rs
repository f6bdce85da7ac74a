//! The download: checked, unpacked, and the same bytes as the disk that was exported.

use std::path::{Path, PathBuf};

use sampan_proto::image::v1::DiskRole;
use sampan_proto::operation::v1::Operation;
use tokio::time::timeout;

use super::export::artifacts;
use super::{late, prompt, scene};
use crate::client::Failure;
use crate::demo::checks::Checks;
use crate::demo::compare::first_difference;
use crate::demo::stage::Stage;
use crate::download::{self, Downloaded};
use crate::exit::Exit;
use crate::output::words;

/// Downloads an ended export and compares every disk with its source.
pub(super) async fn of(ended: &Operation, stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    let cloud = words::cloud(ended.image.clone().unwrap_or_default().cloud);
    let number = if cloud == "tencent" { 8 } else { 9 };
    scene(&format!("{number}. The download from {cloud}: checked, unpacked, compared"))?;
    let folder = stage.downloads().join(cloud);
    prompt(&format!("download {} --to {cloud} --unpack", ended.name))?;
    let options = download::Options { folder: folder.clone(), unpack: true, streams: 8, show_progress: true };
    let patience = stage.patience();
    let files = timeout(patience, download::operation(&stage.client, &ended.name, &options))
        .await
        .map_err(|_| late("the download has not ended", patience))??;
    checks.equal("every object was downloaded", files.len(), artifacts(ended).len())?;
    for (file, artifact) in files.iter().zip(artifacts(ended)) {
        let role = artifact.disk.clone().unwrap_or_default().role();
        let (name, source) = match role {
            DiskRole::System => ("system disk", &stage.disks.system),
            DiskRole::Data | DiskRole::Unspecified => ("data disk", &stage.disks.data),
        };
        let is_good = file.is_checked && file.crc64 == artifact.crc64;
        let size = words::bytes(file.object_bytes);
        checks.holds(format!("{name}: the CRC-64 of {size} is the bucket's ({})", file.crc64), is_good)?;
        same_bytes(name, source, file, checks).await?;
    }
    // A large disk should not lie around twice.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

async fn same_bytes(name: &str, source: &Path, file: &Downloaded, checks: &mut Checks) -> Result<(), Failure> {
    let (one, other): (PathBuf, PathBuf) = (source.to_owned(), file.path.clone());
    let compared = tokio::task::spawn_blocking(move || first_difference(&one, &other)).await;
    let difference = compared
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?
        .map_err(|error| Failure::new(Exit::Failed, format!("{} cannot be compared: {error}", file.path.display())))?;
    let unpacked = if file.is_unpacked { "unpacked, " } else { "" };
    checks.equal(format!("{name}: {unpacked}the same bytes as the disk that was exported"), difference, None)
}
