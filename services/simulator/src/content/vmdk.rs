//! Decides how a disk looks as a monolithic sparse VMDK: header, descriptor, two copies of the tables, grains.
//!
//! Format: "Virtual Disk Format 5.0" of VMware, hosted sparse extents.

use super::{Builder, Content, SECTOR, push_blocks, to_usize, used_blocks};
use crate::world::mix;

/// Sectors of a grain.
const GRAIN_SECTORS: u64 = 128;
const GRAIN: u64 = GRAIN_SECTORS * SECTOR;
/// Entries of a grain table, and its sectors.
const PER_TABLE: u64 = 512;
const TABLE_SECTORS: u64 = PER_TABLE * 4 / SECTOR;
const DESCRIPTOR_SECTORS: u64 = 20;

/// Where the tables and grains are, in sectors.
struct Layout {
    capacity: u64,
    tables: u64,
    /// Sectors of one copy of directory and tables.
    copy: u64,
    first_copy: u64,
    data: u64,
}

/// Returns the disk as a VMDK; its size is the disk's, padded to a sector.
pub(super) fn build(disk: &Content) -> Content {
    let capacity = disk.len().div_ceil(SECTOR);
    let tables = capacity.div_ceil(GRAIN_SECTORS * PER_TABLE);
    let copy = (tables * 4).div_ceil(SECTOR) + tables * TABLE_SECTORS;
    let first_copy = 1 + DESCRIPTOR_SECTORS;
    let data = (first_copy + 2 * copy).next_multiple_of(GRAIN_SECTORS);
    let layout = Layout { capacity, tables, copy, first_copy, data };
    let used = used_blocks(disk, GRAIN);
    let mut builder = Builder::default();
    builder.push_bytes(header(&layout));
    builder.push_bytes(descriptor(capacity));
    builder.pad_to(SECTOR);
    builder.push_zeros(first_copy * SECTOR - builder.len);
    push_tables(&mut builder, &layout, first_copy, &used);
    push_tables(&mut builder, &layout, first_copy + copy, &used);
    builder.pad_to(GRAIN);
    push_blocks(&mut builder, disk, &used, GRAIN);
    builder.finish()
}

fn header(layout: &Layout) -> Vec<u8> {
    let mut header = b"KDMV".to_vec();
    header.extend(1_u32.to_le_bytes());
    header.extend(3_u32.to_le_bytes()); // end-of-line test is valid, second copy of the tables is valid
    header.extend(layout.capacity.to_le_bytes());
    header.extend(GRAIN_SECTORS.to_le_bytes());
    header.extend(1_u64.to_le_bytes());
    header.extend(DESCRIPTOR_SECTORS.to_le_bytes());
    header.extend(512_u32.to_le_bytes());
    header.extend(layout.first_copy.to_le_bytes());
    header.extend((layout.first_copy + layout.copy).to_le_bytes());
    header.extend(layout.data.to_le_bytes());
    header.extend(b"\0\n \r\n"); // closed cleanly; end-of-line test
    header.resize(512, 0); // not compressed
    header
}

/// Writes one copy of the directory and the tables; tables without entries are holes.
fn push_tables(builder: &mut Builder, layout: &Layout, at: u64, used: &[u64]) {
    let word = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let tables_at = at + (layout.tables * 4).div_ceil(SECTOR);
    let directory: Vec<u8> = (0..layout.tables).flat_map(|table| word(tables_at + table * TABLE_SECTORS)).collect();
    builder.push_bytes(directory);
    builder.pad_to(SECTOR);
    let mut grains = (0..).zip(used).peekable();
    for table in 0..layout.tables {
        let mut entries = vec![0; to_usize(PER_TABLE * 4)];
        let mut is_used = false;
        while let Some((place, grain)) = grains.next_if(|(_, grain)| *grain / PER_TABLE == table) {
            is_used = true;
            let offset = to_usize(grain % PER_TABLE * 4);
            if let Some(entry) = entries.get_mut(offset..offset + 4) {
                entry.copy_from_slice(&word(layout.data + place * GRAIN_SECTORS));
            }
        }
        if is_used {
            builder.push_bytes(entries);
        } else {
            builder.push_zeros(TABLE_SECTORS * SECTOR);
        }
    }
}

fn descriptor(capacity: u64) -> String {
    let (heads, sectors) = (16, 63);
    let content_id = mix(capacity) & 0x7fff_ffff;
    format!(
        "# Disk DescriptorFile\nversion=1\nCID={content_id:08x}\nparentCID=ffffffff\n\
         createType=\"monolithicSparse\"\n\n# Extent description\nRW {capacity} SPARSE \"disk.vmdk\"\n\n\
         # The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = \"4\"\n\
         ddb.geometry.cylinders = \"{}\"\nddb.geometry.heads = \"{heads}\"\n\
         ddb.geometry.sectors = \"{sectors}\"\nddb.adapterType = \"ide\"\n",
        (capacity / (heads * sectors)).min(16_383)
    )
}
