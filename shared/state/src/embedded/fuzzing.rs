//! Doors for fuzzing: what reads the bytes of the store's files. A broken promise panics.

use std::io;

use redb::backends::InMemoryBackend;
use redb::{ReadableDatabase, ReadableTable, StorageBackend};

use super::rows::ROWS;
use super::{Embedded, journal};

/// Key and value of a row.
pub type Row = (Vec<u8>, Vec<u8>);

/// Replays `bytes` as the journal of a store: what it applies was in it, and no more than that.
///
/// # Errors
/// As the start of a store with such a journal.
pub fn replay(bytes: &[u8]) -> io::Result<u64> {
    let file = InMemoryBackend::new();
    file.set_len(bytes.len() as u64)?;
    file.write(0, bytes)?;
    let mut applied = 0;
    let epoch = journal::replay(&file, &mut |_, written| {
        applied += written.len();
        Ok(())
    })?;
    assert!(applied <= bytes.len(), "{applied} bytes applied from a journal of {}", bytes.len());
    Ok(epoch)
}

/// Replays `body` as the body of a frame whose checksum fits.
///
/// # Errors
/// As [`replay`].
pub fn replay_frame(body: &[u8]) -> io::Result<()> {
    let mut applied = 0;
    let end = journal::each_write(body, &mut |_, written| {
        applied += written.len();
        Ok(())
    });
    assert!(applied <= body.len(), "{applied} bytes applied from a frame of {}", body.len());
    end
}

impl Embedded {
    /// Returns every row, in the order of their keys.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn all_rows(&self) -> io::Result<Vec<Row>> {
        let guard = self.core.database.read().map_err(|_| io::ErrorKind::Other)?;
        let database = guard.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let table = database.begin_read().map_err(io::Error::other)?.open_table(ROWS).map_err(io::Error::other)?;
        let mut rows = Vec::new();
        for row in table.iter().map_err(io::Error::other)? {
            let (key, value) = row.map_err(io::Error::other)?;
            rows.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(rows)
    }

    /// Writes rows as they are, past every rule of the store.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_rows(&self, rows: &[Row]) -> io::Result<()> {
        let guard = self.core.database.read().map_err(|_| io::ErrorKind::Other)?;
        let database = guard.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let writing = database.begin_write().map_err(io::Error::other)?;
        let mut table = writing.open_table(ROWS).map_err(io::Error::other)?;
        for (key, value) in rows {
            table.insert(key.as_slice(), value.as_slice()).map_err(io::Error::other)?;
        }
        drop(table);
        writing.commit().map_err(io::Error::other)
    }
}
