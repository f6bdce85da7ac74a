//! Gathers what a stream brings into blocks that can be written past the page cache.

use bytes::{Buf as _, Bytes};

/// Alignment, in memory and in the file, that disks and file systems ask of direct writes.
pub(super) const ALIGN: usize = 4096;

/// Bytes that begin at an aligned address.
#[derive(Debug, Default)]
pub(super) struct Block {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Block {
    /// Makes an empty block for `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        let memory = vec![0; capacity + ALIGN];
        // The memory never moves, because the vector never grows.
        let start = memory.as_ptr().align_offset(ALIGN).min(ALIGN);
        Self { memory, start, length: 0 }
    }

    /// Returns what was gathered.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..self.start + self.length).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.length + ALIGN >= self.memory.len()
    }

    /// Takes as much of `piece` as fits, at most `limit` bytes.
    pub(super) fn gather(&mut self, piece: &mut Bytes, limit: u64) {
        let capacity = self.memory.len().saturating_sub(ALIGN);
        let room = (capacity - self.length).min(usize::try_from(limit).unwrap_or(usize::MAX));
        let take = room.min(piece.len());
        let from = self.start + self.length;
        if let (Some(to), Some(bytes)) = (self.memory.get_mut(from..from + take), piece.get(..take)) {
            to.copy_from_slice(bytes);
        }
        self.length += take;
        piece.advance(take);
    }

    /// Keeps whole aligned lengths alone, so that the next block begins at an aligned place of the file.
    pub(super) fn round_down(&mut self) {
        self.length -= self.length % ALIGN;
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gathers_in_order_up_to_its_size_and_begins_aligned() {
        let mut block = Block::new(2 * ALIGN);
        let mut piece = Bytes::from((0..=u8::MAX).cycle().take(3 * ALIGN).collect::<Vec<_>>());
        let whole = piece.clone();
        block.gather(&mut piece, 10);
        block.gather(&mut piece, u64::MAX);
        assert!(block.is_full());
        assert_eq!(piece.len(), ALIGN);
        assert!(block.bytes() == &whole[..2 * ALIGN]);
        assert_eq!(block.bytes().as_ptr().align_offset(ALIGN), 0);
        block.clear();
        block.gather(&mut piece, ALIGN as u64 - 1);
        assert!(!block.is_full());
        block.round_down();
        assert_eq!(block.bytes(), b"");
    }
}
