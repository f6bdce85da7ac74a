//! Decides which file is opened as a store, and refuses every other one without touching it.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableDefinition};

use super::journal::{self, Journaled};
use super::overlay::{Overlay, Shared};
use super::rows::ROWS;

/// Name of the store's file.
const FILE: &str = "sampan.redb";
/// Name of the file while it is made: it takes its name only when it is whole.
const UNFINISHED: &str = "sampan.redb.new";
/// Name of the journal: what the store's file needs after a crash.
const JOURNAL: &str = "sampan.journal";
/// Name of the file whose lock says that the store is in use.
const LOCK: &str = "sampan.lock";
/// Version of the keys and rows that this program writes.
///
/// 2: a journal stands beside the file. A program that does not know it would lose what only the journal holds.
pub(super) const FORMAT_VERSION: u64 = 2;
/// Facts about the file itself.
pub(super) const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("meta");
/// Key of the version in [`META`].
pub(super) const FORMAT: &str = "format_version";
/// Memory for pages; the default of redb is far above what a service may use.
const CACHE_BYTES: usize = 16 << 20;
/// Files up to this size are read whole and checked before they are trusted.
const CHECKED_BYTES: u64 = 64 << 20;

/// Times that a store in use is tried again.
const IN_USE_TRIES: u32 = 20;
/// Pause before it is tried again.
const IN_USE_PAUSE: Duration = Duration::from_millis(20);

/// Why a store cannot be opened. No existing file was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("the folder {} cannot be made: {source}; make it yourself or choose another one", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The user of this process may not read and write there.
    #[error("no permission to read and write {}; give this user the right or choose another folder", path.display())]
    Permission {
        /// File or folder.
        path: PathBuf,
    },
    /// Another process, or another store of this one, has it open.
    #[error("{} is in use by {holder}; stop it, or give each process its own folder", path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
        /// Who has it, as far as known.
        holder: String,
    },
    /// The file is something else.
    #[error("{} is not a store of Sampan and was left as it is; move it away or choose another folder", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "{} is damaged ({message}) and was left as it is; restore it from a backup, or move it away to start empty",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// The file was written by a newer version of Sampan.
    #[error(
        "{} has format {found}, this program reads up to {known}, and was left as it is; use the newer program",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: u64,
        /// Newest format that is understood.
        known: u64,
    },
    /// No room is left.
    #[error("no space is left for {}; free some and start again", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The system failed in another way.
    #[error("{} cannot be opened: {message}", path.display())]
    Failed {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
}

impl OpenError {
    pub(super) fn of_io(path: &Path, problem: &io::Error) -> Self {
        let path = path.to_path_buf();
        match problem.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Permission { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::DiskFull { path },
            _ => Self::Failed { path, message: problem.to_string() },
        }
    }

    fn of_storage(path: &Path, problem: &StorageError) -> Self {
        match problem {
            StorageError::Io(problem) if problem.kind() == ErrorKind::InvalidData => {
                Self::NotAStore { path: path.to_path_buf() }
            }
            StorageError::Io(problem) if problem.kind() == ErrorKind::UnexpectedEof => {
                Self::Corrupt { path: path.to_path_buf(), message: "its end is missing".to_owned() }
            }
            StorageError::Io(problem) => Self::of_io(path, problem),
            other => Self::Corrupt { path: path.to_path_buf(), message: other.to_string() },
        }
    }

    fn of_database(path: &Path, problem: &DatabaseError) -> Self {
        match problem {
            DatabaseError::Storage(problem) => Self::of_storage(path, problem),
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                Self::InUse { path: path.to_path_buf(), holder: "another process".to_owned() }
            }
            other => Self::Corrupt { path: path.to_path_buf(), message: other.to_string() },
        }
    }
}

/// What the rows are kept on.
#[derive(Debug, Clone)]
pub(super) enum Medium {
    /// A file, with a journal beside it.
    File(PathBuf),
    /// Something that outlives the database on it, such as memory, with or without a journal.
    Backend {
        /// Pages of the database.
        pages: Arc<dyn StorageBackend>,
        /// The journal.
        journal: Option<Arc<dyn StorageBackend>>,
    },
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Backend { .. } => f.write_str("the store in memory"),
        }
    }
}

impl Medium {
    /// Returns fresh memory.
    pub(super) fn memory() -> Self {
        Self::Backend { pages: Arc::new(InMemoryBackend::new()), journal: None }
    }

    /// Opens the database, which is there already unless the medium is memory.
    pub(super) fn open(&self) -> Result<Database, OpenError> {
        match self {
            Self::File(path) => {
                let (pages, journal) = (open_pages(path)?, open_journal(path)?);
                let database = open_database(path, pages, Some(journal))?;
                prepare(&database, path)?;
                Ok(database)
            }
            Self::Backend { pages, journal } => {
                let path = Path::new("memory");
                let database = open_database(path, Arc::clone(pages), journal.clone())?;
                prepare(&database, path)?;
                Ok(database)
            }
        }
    }
}

fn open_database(
    path: &Path,
    pages: Arc<dyn StorageBackend>,
    journal: Option<Arc<dyn StorageBackend>>,
) -> Result<Database, OpenError> {
    unpanicked(path, || {
        let opened = match journal {
            Some(journal) => {
                let journaled = Journaled::open(pages, journal);
                builder().create_with_backend(journaled.map_err(|problem| of_journal(path, &problem))?)
            }
            None => builder().create_with_backend(Shared(pages)),
        };
        opened.map_err(|problem| OpenError::of_database(path, &problem))
    })
}

/// Opens the store's file, which must be there and not be empty: an empty one would be made a new database.
fn open_pages(path: &Path) -> Result<Arc<dyn StorageBackend>, OpenError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|problem| OpenError::of_io(path, &problem))?;
    match file.metadata() {
        Ok(metadata) if metadata.len() > 0 => as_backend(path, file),
        Ok(_) => Err(OpenError::NotAStore { path: path.to_path_buf() }),
        Err(problem) => Err(OpenError::of_io(path, &problem)),
    }
}

/// Opens the journal, or makes an empty one whose name survives a crash.
fn open_journal(store: &Path) -> Result<Arc<dyn StorageBackend>, OpenError> {
    let path = store.with_file_name(JOURNAL);
    let failed = |problem: &io::Error| OpenError::of_io(&path, problem);
    let is_new = !path.exists();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|problem| failed(&problem))?;
    if is_new && let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|problem| failed(&problem))?;
    }
    as_backend(&path, file)
}

fn as_backend(path: &Path, file: File) -> Result<Arc<dyn StorageBackend>, OpenError> {
    let backend = FileBackend::new(file).map_err(|problem| OpenError::of_database(path, &problem))?;
    Ok(Arc::new(backend))
}

/// Says of a journal that cannot be brought into the pages what is wrong.
fn of_journal(store: &Path, problem: &io::Error) -> OpenError {
    match problem.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            OpenError::Corrupt { path: store.to_path_buf(), message: format!("{JOURNAL} beside it does not fit") }
        }
        _ => OpenError::of_io(store, problem),
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// A damaged page can make redb panic; that must look like the damage that it is.
fn unpanicked<T>(path: &Path, open: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
        Err(OpenError::Corrupt { path: path.to_path_buf(), message: "its pages contradict each other".to_owned() })
    })
}

/// Opens the store in `folder`, or makes one; the returned lock must live as long as the store.
///
/// A store in use is tried again for a moment: a process that is just ending, or a child that is just being started
/// and still has the parent's files, gives the lock back at once.
pub(super) fn open_file(folder: &Path) -> Result<(Medium, Database, File), OpenError> {
    for _ in 0..IN_USE_TRIES {
        match open_once(folder) {
            Err(OpenError::InUse { .. }) => std::thread::sleep(IN_USE_PAUSE),
            other => return other,
        }
    }
    open_once(folder)
}

fn open_once(folder: &Path) -> Result<(Medium, Database, File), OpenError> {
    fs::create_dir_all(folder).map_err(|source| match source.kind() {
        ErrorKind::PermissionDenied => OpenError::Permission { path: folder.to_path_buf() },
        _ => OpenError::Folder { path: folder.to_path_buf(), source },
    })?;
    let path = folder.join(FILE);
    let lock = lock(folder, &path)?;
    match fs::symlink_metadata(&path) {
        Ok(_) => check_existing(&path)?,
        Err(problem) if problem.kind() == ErrorKind::NotFound => make(folder, &path)?,
        Err(problem) => return Err(OpenError::of_io(&path, &problem)),
    }
    let medium = Medium::File(path);
    let database = medium.open()?;
    Ok((medium, database, lock))
}

fn lock(folder: &Path, store: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let failed = |problem: &io::Error| OpenError::of_io(&path, problem);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|problem| failed(&problem))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Who holds it is only a help for people, so a failed read leaves it unknown.
            drop(file.read_to_string(&mut process));
            let holder = match process.trim() {
                "" => "another process".to_owned(),
                number => format!("process {number}"),
            };
            return Err(OpenError::InUse { path: store.to_path_buf(), holder });
        }
        Err(TryLockError::Error(problem)) => return Err(failed(&problem)),
    }
    // The process number only helps people: a full disk must not hinder the start here.
    drop(file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())));
    Ok(file)
}

/// Makes a new store under another name first, so that a crash never leaves a half-made one.
fn make(folder: &Path, path: &Path) -> Result<(), OpenError> {
    let unfinished = folder.join(UNFINISHED);
    let failed = |problem: &io::Error| OpenError::of_io(path, problem);
    // A leftover of a start that was killed, which never held anything, and the journal of a store that was moved
    // away, which must not be brought into a new one.
    for left in [&unfinished, &folder.join(JOURNAL)] {
        match fs::remove_file(left) {
            Err(problem) if problem.kind() != ErrorKind::NotFound => return Err(failed(&problem)),
            Ok(()) | Err(_) => {}
        }
    }
    let database = builder().create(&unfinished).map_err(|problem| OpenError::of_database(path, &problem))?;
    let prepared = prepare(&database, path);
    drop(database);
    prepared?;
    fs::rename(&unfinished, path).map_err(|problem| failed(&problem))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|problem| failed(&problem))
}

/// Writes the tables and the format into a new database, or one of an older format.
fn prepare(database: &Database, path: &Path) -> Result<(), OpenError> {
    let damaged = |problem: redb::Error| OpenError::Corrupt { path: path.to_path_buf(), message: problem.to_string() };
    let write = || -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_quick_repair(true);
        let is_current = {
            let mut meta = transaction.open_table(META)?;
            let found = redb::ReadableTable::get(&meta, FORMAT)?.map(|version| version.value());
            let is_current = found == Some(FORMAT_VERSION);
            if !is_current {
                meta.insert(FORMAT, FORMAT_VERSION)?;
                transaction.open_table(ROWS)?;
            }
            is_current
        };
        if !is_current { Ok(transaction.commit()?) } else { Ok(transaction.abort()?) }
    };
    write().map_err(|problem| match problem {
        redb::Error::Io(problem) => OpenError::of_io(path, &problem),
        other => damaged(other),
    })
}

/// Opens an existing file on paper first: what redb would write goes to memory, so that a file which turns out to
/// be damaged, foreign or too new keeps every byte.
fn check_existing(path: &Path) -> Result<(), OpenError> {
    let failed = |problem: &io::Error| OpenError::of_io(path, problem);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(|problem| failed(&problem))?;
    let metadata = file.metadata().map_err(|problem| failed(&problem))?;
    if !metadata.is_file() {
        return Err(OpenError::NotAStore { path: path.to_path_buf() });
    }
    let file = as_backend(path, file)?;
    let journal = path.with_file_name(JOURNAL);
    let journal = match OpenOptions::new().read(true).write(true).open(&journal) {
        Ok(file) => Some(as_backend(&journal, file)?),
        Err(problem) if problem.kind() == ErrorKind::NotFound => None,
        Err(problem) => return Err(OpenError::of_io(&journal, &problem)),
    };
    open_on_paper(path, &file, journal.as_deref(), false)?;
    if metadata.len() <= CHECKED_BYTES {
        open_on_paper(path, &file, journal.as_deref(), true)?;
    }
    Ok(())
}

/// Opens the file without writing to it. The whole check repairs what it can, which a plain opening does not: a file
/// must pass without it first, because that is how it is opened then.
fn open_on_paper(
    path: &Path,
    file: &Arc<dyn StorageBackend>,
    journal: Option<&dyn StorageBackend>,
    whole: bool,
) -> Result<(), OpenError> {
    let overlay =
        Overlay::new(Box::new(Shared(Arc::clone(file)))).map_err(|problem| OpenError::of_io(path, &problem))?;
    if let Some(journal) = journal {
        journal::replay(journal, &mut |offset, bytes| overlay.write(offset, bytes))
            .map_err(|problem| of_journal(path, &problem))?;
    }
    unpanicked(path, || {
        let database = builder()
            .set_check_integrity_on_open(whole)
            .create_with_backend(overlay)
            .map_err(|problem| OpenError::of_database(path, &problem))?;
        check_format(&database, path)
    })
}

fn check_format(database: &Database, path: &Path) -> Result<(), OpenError> {
    let read = || -> Result<Option<u64>, redb::Error> {
        let transaction = database.begin_read()?;
        let meta = transaction.open_table(META)?;
        let found = redb::ReadableTable::get(&meta, FORMAT)?.map(|version| version.value());
        Ok(found)
    };
    match read() {
        Ok(Some(found)) if found > FORMAT_VERSION => {
            Err(OpenError::TooNew { path: path.to_path_buf(), found, known: FORMAT_VERSION })
        }
        Ok(Some(_)) => Ok(()),
        // A database of another program.
        Ok(None) | Err(redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. }) => {
            Err(OpenError::NotAStore { path: path.to_path_buf() })
        }
        Err(problem) => Err(OpenError::Corrupt { path: path.to_path_buf(), message: problem.to_string() }),
    }
}
