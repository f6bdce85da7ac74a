//! Decides what the vendor's words say of how far a copy is.

use sampan_cloud::copy::{CopiedImage, CopyState, Snapshot};
use sampan_cloud::share::{Share, ascending};
use sampan_core::ImageId;

use crate::ecs::{AccountRow, ImageRow, SnapshotRow};
use crate::judge;

/// Reads an image as a copy that is going on or has ended; `None` when the vendor tells no id.
pub(crate) fn copied(row: &ImageRow) -> Option<CopiedImage> {
    let id: ImageId = row.image_id.text().parse().ok()?;
    Some(CopiedImage {
        image: judge::image(&id, row),
        state: image_state(row.status.text()),
        percent: row.progress.percent(),
        is_copy: row.is_copied.flag(),
    })
}

fn image_state(status: &str) -> CopyState {
    match status {
        "Waiting" => CopyState::Queued,
        // Its owner has withdrawn it since: the copy itself was done.
        "Available" | "Deprecated" => CopyState::Ready,
        "UnAvailable" | "CreateFailed" => CopyState::Failed,
        _ => CopyState::Copying,
    }
}

/// Reads a snapshot.
pub(crate) fn snapshot(row: &SnapshotRow) -> Snapshot {
    let state = match row.status.text() {
        "accomplished" => CopyState::Ready,
        "failed" => CopyState::Failed,
        _ => CopyState::Copying,
    };
    Snapshot {
        id: row.snapshot_id.text().to_owned(),
        name: row.snapshot_name.text().to_owned(),
        state,
        percent: row.progress.percent(),
        size_gib: row.source_disk_size.number().unwrap_or(0),
        encrypted: judge::is_encrypted(row),
        created: row.creation_time.instant().map(|created| created.at),
    }
}

/// Reads the accounts of a share, ascending by number, each once.
pub(crate) fn shares(rows: &[AccountRow]) -> Vec<Share> {
    let share = |row: &AccountRow| {
        let account_id = row.aliyun_id.non_empty()?.to_owned();
        Some(Share { account_id, since: row.shared_time.instant().map(|since| since.at) })
    };
    ascending(rows.iter().filter_map(share).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of_image(json: Value) -> CopiedImage {
        copied(&serde_json::from_value(json).unwrap()).unwrap()
    }

    fn of_snapshot(json: Value) -> Snapshot {
        snapshot(&serde_json::from_value(json).unwrap())
    }

    #[test]
    fn every_word_about_an_image_has_one_meaning() {
        for (word, state) in [
            ("Waiting", CopyState::Queued),
            ("Creating", CopyState::Copying),
            ("Available", CopyState::Ready),
            ("Deprecated", CopyState::Ready),
            ("UnAvailable", CopyState::Failed),
            ("CreateFailed", CopyState::Failed),
            ("Unheard", CopyState::Copying),
        ] {
            assert_eq!(of_image(json!({"ImageId": "m-1", "Status": word})).state, state, "{word}");
        }
    }

    #[test]
    fn a_copy_tells_its_percent_and_that_it_is_one() {
        let copy = of_image(json!({"ImageId": "m-1", "Progress": "37%", "IsCopied": "True", "BootMode": "UEFI"}));
        assert_eq!((copy.percent, copy.is_copy, copy.image.boot_mode.as_deref()), (Some(37), Some(true), Some("UEFI")));
        let bare = of_image(json!({"ImageId": "m-1", "Progress": "", "BootMode": ""}));
        assert_eq!((bare.percent, bare.is_copy, bare.image.boot_mode), (None, None, None));
        assert!(copied(&serde_json::from_value(json!({"Status": "Creating"})).unwrap()).is_none());
    }

    #[test]
    fn every_word_about_a_snapshot_has_one_meaning() {
        for (word, state) in [
            ("progressing", CopyState::Copying),
            ("accomplished", CopyState::Ready),
            ("failed", CopyState::Failed),
            ("unheard", CopyState::Copying),
        ] {
            assert_eq!(of_snapshot(json!({"Status": word})).state, state, "{word}");
        }
    }

    #[test]
    fn a_snapshot_reads_its_numbers_from_texts() {
        let told = of_snapshot(json!({"SnapshotId": "s-1", "SnapshotName": "n", "Progress": "100%",
            "SourceDiskSize": "2048", "KMSKeyId": "k", "CreationTime": "2026-11-20T10:00:00Z"}));
        assert_eq!((told.id.as_str(), told.size_gib, told.percent), ("s-1", 2048, Some(100)));
        assert_eq!(told.encrypted, Some(true), "a key proves it");
        assert!(told.created.is_some() && of_snapshot(json!({})).encrypted.is_none());
    }

    #[test]
    fn accounts_ascend_by_number_and_stand_once() {
        let rows: Vec<AccountRow> = serde_json::from_value(json!([
            {"AliyunId": 1000, "SharedTime": "2026-11-20T10:00:00Z"}, {"AliyunId": "900"}, {"AliyunId": "1000"},
            {"AliyunId": ""}]))
        .unwrap();
        let shown: Vec<_> = shares(&rows).into_iter().map(|share| (share.account_id, share.since.is_some())).collect();
        assert_eq!(shown, [("900".to_owned(), false), ("1000".to_owned(), true)]);
    }
}
