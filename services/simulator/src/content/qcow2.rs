//! Decides how a disk looks as a QCOW2 of version 3: header, reference counts, two levels of tables, clusters.
//!
//! Format: `docs/interop/qcow2.txt` of QEMU.

use super::{Builder, Content, SECTOR, push_blocks, to_usize, used_blocks};

const CLUSTER_BITS: u32 = 16;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// Clusters that one second-level table covers.
const PER_L2: u64 = CLUSTER / 8;
/// Clusters that one block of 16-bit reference counts covers.
const PER_REFCOUNT_BLOCK: u64 = CLUSTER / 2;
/// Says that a cluster has exactly one reference.
const COPIED: u64 = 1 << 63;

/// Where everything is, in clusters from the start of the file.
struct Layout {
    refcount_table: u64,
    refcount_table_len: u64,
    refcount_blocks: u64,
    l1: u64,
    l1_entries: u64,
    l2: u64,
    data: u64,
    end: u64,
}

impl Layout {
    fn of(disk_clusters: u64, l2_tables: u64, used: u64) -> Self {
        let l1_entries = disk_clusters.div_ceil(PER_L2);
        let l1_len = (l1_entries * 8).div_ceil(CLUSTER).max(1);
        let (mut blocks, mut table) = (1, 1);
        loop {
            let end = 1 + table + blocks + l1_len + l2_tables + used;
            let needed = end.div_ceil(PER_REFCOUNT_BLOCK);
            let needed_table = (needed * 8).div_ceil(CLUSTER);
            if needed <= blocks && needed_table <= table {
                let l1 = 1 + table + blocks;
                return Self {
                    refcount_table: 1,
                    refcount_table_len: table,
                    refcount_blocks: 1 + table,
                    l1,
                    l1_entries,
                    l2: l1 + l1_len,
                    data: l1 + l1_len + l2_tables,
                    end,
                };
            }
            (blocks, table) = (needed.max(blocks), needed_table.max(table));
        }
    }
}

/// Returns the disk as a QCOW2; its size is the disk's, padded to a sector.
pub(super) fn build(disk: &Content) -> Content {
    let used = used_blocks(disk, CLUSTER);
    let mut l2_of: Vec<u64> = used.iter().map(|cluster| cluster / PER_L2).collect();
    l2_of.dedup();
    let layout = Layout::of(disk.len().div_ceil(CLUSTER), l2_of.len() as u64, used.len() as u64);
    let mut builder = Builder::default();
    builder.push_bytes(header(disk.len().next_multiple_of(SECTOR), &layout));
    builder.pad_to(CLUSTER);
    builder.push_bytes(words((layout.refcount_blocks..layout.l1).map(|cluster| cluster * CLUSTER)));
    builder.pad_to(CLUSTER);
    builder.push_bytes([0, 1].repeat(to_usize(layout.end)));
    builder.pad_to(CLUSTER);
    let mut l1 = vec![0; to_usize(layout.l1_entries)];
    for (table, covered) in (layout.l2..).zip(&l2_of) {
        if let Some(entry) = l1.get_mut(to_usize(*covered)) {
            *entry = (table * CLUSTER) | COPIED;
        }
    }
    builder.push_bytes(words(l1.into_iter()));
    builder.pad_to(CLUSTER);
    push_l2_tables(&mut builder, &layout, &l2_of, &used);
    push_blocks(&mut builder, disk, &used, CLUSTER);
    builder.finish()
}

fn push_l2_tables(builder: &mut Builder, layout: &Layout, l2_of: &[u64], used: &[u64]) {
    let mut places = (layout.data..).zip(used).peekable();
    for covered in l2_of {
        let mut table = vec![0; to_usize(PER_L2)];
        while let Some((place, cluster)) = places.next_if(|(_, cluster)| *cluster / PER_L2 == *covered) {
            if let Some(entry) = table.get_mut(to_usize(cluster % PER_L2)) {
                *entry = (place * CLUSTER) | COPIED;
            }
        }
        builder.push_bytes(words(table.into_iter()));
    }
}

fn words(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    numbers.flat_map(u64::to_be_bytes).collect()
}

fn header(len: u64, layout: &Layout) -> Vec<u8> {
    let word = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut header = b"QFI\xfb".to_vec();
    header.extend(3_u32.to_be_bytes());
    header.extend([0; 12]); // no backing file
    header.extend(CLUSTER_BITS.to_be_bytes());
    header.extend(len.to_be_bytes());
    header.extend(0_u32.to_be_bytes()); // not encrypted
    header.extend(word(layout.l1_entries));
    header.extend((layout.l1 * CLUSTER).to_be_bytes());
    header.extend((layout.refcount_table * CLUSTER).to_be_bytes());
    header.extend(word(layout.refcount_table_len));
    header.extend([0; 12]); // no internal snapshots
    header.extend([0; 24]); // no feature bits
    header.extend(4_u32.to_be_bytes()); // reference counts of 16 bits
    header.extend(104_u32.to_be_bytes());
    header
}
