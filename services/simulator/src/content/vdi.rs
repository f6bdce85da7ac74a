//! Decides how a disk looks as a dynamic VDI: a header, a map of blocks of 1 MiB, and the blocks with data.
//!
//! Format: VirtualBox's own, version 1.1.

use super::{Builder, Content, SECTOR, guid, push_blocks, used_blocks};

const BLOCK: u64 = 1 << 20;
const HEADER: u64 = 512;
const UNUSED: u32 = u32::MAX;

/// Returns the disk as a VDI; its size is the disk's, padded to a sector.
pub(super) fn build(disk: &Content) -> Content {
    let blocks = disk.len().div_ceil(BLOCK);
    let used = used_blocks(disk, BLOCK);
    let data_offset = (HEADER + blocks * 4).next_multiple_of(BLOCK);
    let mut builder = Builder::default();
    builder.push_bytes(header(disk.len().next_multiple_of(SECTOR), blocks, used.len(), data_offset));
    builder.push_bytes(map(blocks, &used));
    builder.pad_to(BLOCK);
    push_blocks(&mut builder, disk, &used, BLOCK);
    builder.finish()
}

fn map(blocks: u64, used: &[u64]) -> Vec<u8> {
    let mut map = Vec::new();
    let mut used = (0_u32..).zip(used).peekable();
    for block in 0..blocks {
        let place = used.next_if(|(_, wanted)| **wanted == block).map_or(UNUSED, |(place, _)| place);
        map.extend(place.to_le_bytes());
    }
    map
}

fn header(len: u64, blocks: u64, used: usize, data_offset: u64) -> Vec<u8> {
    let word = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let mut header = b"<<< Oracle VM VirtualBox Disk Image >>>\n".to_vec();
    header.resize(0x40, 0);
    header.extend(0xbeda_107f_u32.to_le_bytes());
    header.extend(0x0001_0001_u32.to_le_bytes());
    header.extend(0x190_u32.to_le_bytes()); // size of the rest of the header
    header.extend(1_u32.to_le_bytes()); // dynamic
    header.extend(0_u32.to_le_bytes());
    header.resize(0x154, 0); // description
    header.extend(word(HEADER));
    header.extend(word(data_offset));
    header.extend([0; 12]); // geometry, left to the reader
    header.extend(word(SECTOR));
    header.extend([0; 4]);
    header.extend(len.to_le_bytes());
    header.extend(word(BLOCK));
    header.extend([0; 4]);
    header.extend(word(blocks));
    header.extend(word(used as u64));
    header.extend(guid(len));
    header.extend(guid(len + 1));
    header.resize(512, 0); // no parent
    header
}
