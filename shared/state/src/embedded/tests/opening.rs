//! Facts of opening: every cause has its own error, and no existing file is touched that cannot be read.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sampan_core::OperationId;

use super::super::open::{FORMAT, FORMAT_VERSION, META};
use super::super::{Embedded, OpenError};
use super::{admit, clock, shared};
use redb::ReadableDatabase as _;

use crate::{Health, Operations};

fn open(folder: &Path) -> Result<Arc<Embedded>, OpenError> {
    Embedded::open(folder, shared(&clock()))
}

/// Asserts that the folder's store is refused as it should be, and that the file keeps every byte.
fn assert_refused(folder: &Path, is_expected: impl Fn(&OpenError) -> bool) {
    let path = folder.join("sampan.redb");
    let before = fs::read(&path).unwrap();
    for _ in 0..2 {
        let problem = open(folder).expect_err("refused");
        assert!(is_expected(&problem), "{problem:?}");
        assert!(problem.to_string().contains("sampan.redb"), "{problem}");
        assert!(fs::read(&path).unwrap() == before, "the file was changed");
    }
}

/// Makes a store with some operations, closes it, and returns the operation that was admitted last.
async fn store_with_operations(folder: &Path) -> OperationId {
    let store = open(folder).unwrap();
    for _ in 0..49 {
        admit(&store).await.unwrap();
    }
    admit(&store).await.unwrap().id
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a/b")).unwrap();
    store.check().await.unwrap();
    assert!(folder.path().join("a/b/sampan.redb").is_file());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let problem = open(&path).expect_err("refused");
        assert!(matches!(&problem, OpenError::Folder { path: named, .. } if *named == path), "{problem:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[test]
fn a_file_of_garbage_is_refused_and_keeps_every_byte() {
    for garbage in [&b"not a database at all"[..], &[0; 8192], &[0xff; 70_000], b"redb", b""] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sampan.redb"), garbage).unwrap();
        assert_refused(folder.path(), |problem| {
            matches!(problem, OpenError::NotAStore { .. } | OpenError::Corrupt { .. })
        });
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sampan.redb")).unwrap();
    let problem = open(folder.path()).expect_err("refused");
    assert!(matches!(problem, OpenError::NotAStore { .. } | OpenError::Failed { .. }), "{problem:?}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sampan.redb");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let other: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("other");
    transaction.open_table(other).unwrap().insert("a", "b").unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_refused(folder.path(), |problem| matches!(problem, OpenError::NotAStore { .. }));
}

#[tokio::test]
async fn a_newer_format_is_refused_and_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    store_with_operations(folder.path()).await;
    let database = redb::Database::open(folder.path().join("sampan.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert(FORMAT, FORMAT_VERSION + 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_refused(folder.path(), |problem| matches!(problem, OpenError::TooNew { found: 3, known: 2, .. }));
}

#[tokio::test]
async fn an_older_format_is_opened_and_becomes_the_current_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sampan.redb");
    let last = store_with_operations(folder.path()).await;
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert(FORMAT, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    open(folder.path()).unwrap().get(last).await.unwrap();
    let database = redb::Database::open(&path).unwrap();
    let meta = database.begin_read().unwrap().open_table(META).unwrap();
    assert_eq!(meta.get(FORMAT).unwrap().unwrap().value(), FORMAT_VERSION);
}

#[tokio::test]
async fn a_store_that_was_cut_off_is_refused_and_keeps_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    store_with_operations(folder.path()).await;
    let path = folder.path().join("sampan.redb");
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() / 2, 4096, 100] {
        fs::write(&path, whole.get(..length).unwrap()).unwrap();
        assert_refused(folder.path(), |problem| {
            matches!(problem, OpenError::Corrupt { .. } | OpenError::NotAStore { .. })
        });
    }
}

#[tokio::test]
async fn a_damaged_page_is_found_before_the_store_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let last = store_with_operations(folder.path()).await.to_string();
    let path = folder.path().join("sampan.redb");
    let whole = fs::read(&path).unwrap();
    // Older commits left older copies of pages behind; the last record is only in a page that counts.
    let at = whole.windows(last.len()).position(|bytes| bytes == last.as_bytes()).expect("it is in the file");
    let mut refused = Vec::new();
    for page in (0..whole.len()).step_by(4096) {
        let mut damaged = whole.clone();
        // Also bytes of the one page that surely holds a record.
        let from = if page == at / 4096 * 4096 { at } else { page + 64 };
        damaged.iter_mut().skip(from).take(64).for_each(|byte| *byte ^= 0x55);
        fs::write(&path, &damaged).unwrap();
        match open(folder.path()) {
            // A page that nothing points to.
            Ok(_) => {}
            Err(OpenError::Corrupt { .. } | OpenError::NotAStore { .. }) => {
                refused.push(page);
                assert!(fs::read(&path).unwrap() == damaged, "the file was changed");
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused.contains(&0) && refused.contains(&(at / 4096 * 4096)), "only {refused:?} were found");
}

#[tokio::test]
async fn a_store_in_use_is_refused_with_the_process_that_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    match open(folder.path()).expect_err("refused") {
        OpenError::InUse { holder, .. } => assert_eq!(holder, format!("process {}", std::process::id())),
        other => panic!("{other}"),
    }
    first.check().await.unwrap();
    drop(first);
    open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_copy_of_a_store_that_was_not_closed_opens_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(admit(&store).await.unwrap().id);
    }
    // What a crash leaves behind: the file as it is on the disk while the store is open.
    fs::copy(folder.path().join("sampan.redb"), copy.path().join("sampan.redb")).unwrap();
    let crashed = open(copy.path()).unwrap();
    for id in ids {
        crashed.get(id).await.unwrap();
    }
    crashed.check().await.unwrap();
}

#[test]
fn a_leftover_of_a_start_that_was_killed_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sampan.redb.new"), "half").unwrap();
    open(folder.path()).unwrap();
    assert!(!folder.path().join("sampan.redb.new").exists());
}

#[test]
fn each_cause_of_the_system_has_its_own_error() {
    let of = |kind: io::ErrorKind| OpenError::of_io(Path::new("/d/sampan.redb"), &io::Error::from(kind));
    assert!(matches!(of(io::ErrorKind::PermissionDenied), OpenError::Permission { .. }));
    assert!(matches!(of(io::ErrorKind::ReadOnlyFilesystem), OpenError::Permission { .. }));
    assert!(matches!(of(io::ErrorKind::StorageFull), OpenError::DiskFull { .. }));
    assert!(matches!(of(io::ErrorKind::QuotaExceeded), OpenError::DiskFull { .. }));
    assert!(matches!(of(io::ErrorKind::Other), OpenError::Failed { .. }));
}
