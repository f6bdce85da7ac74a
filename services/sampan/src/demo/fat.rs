//! Lays out a FAT16 file system behind a partition table: a disk that every system recognises and can mount.
//!
//! Files are given their places by the caller, so that holes stay between them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

const SECTOR: u64 = 512;
/// Where the one partition begins: 1 MiB, as partitioning tools do.
const PARTITION_START: u64 = 2048;
const ROOT_ENTRIES: u16 = 512;
const ROOT_SECTORS: u64 = 32;
const RESERVED_SECTORS: u64 = 1;
const MEDIA: u8 = 0xf8;
/// First of January 1980, the first day that the file system knows.
const FIRST_DAY: u16 = 0x0021;

/// One file in the root folder.
#[derive(Debug)]
pub(super) struct Entry {
    /// Eight characters of the name and three of its ending, upper case, padded with spaces.
    pub(super) name: [u8; 11],
    /// Where it lies, as a share of the partition in thousandths.
    pub(super) place_permille: u32,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// How the partition is divided.
#[derive(Debug, Clone, Copy)]
struct Geometry {
    sectors: u64,
    sectors_per_cluster: u64,
    fat_sectors: u64,
}

impl Geometry {
    /// Divides a disk; clusters are as small as FAT16 permits.
    fn of(disk_bytes: u64) -> Self {
        let sectors = disk_bytes / SECTOR - PARTITION_START;
        let mut sectors_per_cluster = 1;
        while sectors / sectors_per_cluster > 60_000 {
            sectors_per_cluster *= 2;
        }
        let fat_sectors = ((sectors / sectors_per_cluster + 2) * 2).div_ceil(SECTOR);
        Self { sectors, sectors_per_cluster, fat_sectors }
    }

    fn clusters(self) -> u64 {
        (self.sectors - RESERVED_SECTORS - 2 * self.fat_sectors - ROOT_SECTORS) / self.sectors_per_cluster
    }

    fn cluster_bytes(self) -> u64 {
        self.sectors_per_cluster * SECTOR
    }

    /// Byte of the disk at which a sector of the partition begins.
    fn byte_of_sector(sector: u64) -> u64 {
        (PARTITION_START + sector) * SECTOR
    }

    fn root_byte(self) -> u64 {
        Self::byte_of_sector(RESERVED_SECTORS + 2 * self.fat_sectors)
    }

    /// Clusters are numbered from 2.
    fn byte_of_cluster(self, cluster: u64) -> u64 {
        self.root_byte() + ROOT_SECTORS * SECTOR + (cluster - 2) * self.cluster_bytes()
    }
}

/// Writes partition table, file system and files; everything else stays a hole.
///
/// - `file`: already of the disk's size, 16 MiB to 2 GiB.
/// - `label`: name of the volume, padded to eleven characters.
pub(super) fn format(file: &File, disk_bytes: u64, label: [u8; 11], entries: &[Entry]) -> io::Result<()> {
    let geometry = Geometry::of(disk_bytes);
    file.write_all_at(&partition_table(geometry), 0)?;
    file.write_all_at(&boot_sector(geometry, label), Geometry::byte_of_sector(0))?;
    let mut fat = vec![0_u8; narrow(geometry.fat_sectors * SECTOR)];
    set_link(&mut fat, 0, 0xff00 | u16::from(MEDIA));
    set_link(&mut fat, 1, 0xffff);
    let mut root = directory_entry(label, 0x08, 0, 0);
    for entry in entries {
        let first = 2 + geometry.clusters() * u64::from(entry.place_permille) / 1000;
        let count = (entry.bytes.len() as u64).div_ceil(geometry.cluster_bytes()).max(1);
        for cluster in first..first + count {
            let next = if cluster + 1 == first + count { 0xffff } else { short(cluster + 1) };
            set_link(&mut fat, cluster, next);
        }
        file.write_all_at(&entry.bytes, geometry.byte_of_cluster(first))?;
        root.extend(directory_entry(entry.name, 0x20, short(first), entry.bytes.len()));
    }
    for copy in 0..2 {
        let sector = RESERVED_SECTORS + copy * geometry.fat_sectors;
        file.write_all_at(&fat, Geometry::byte_of_sector(sector))?;
    }
    file.write_all_at(&root, geometry.root_byte())
}

fn partition_table(geometry: Geometry) -> Vec<u8> {
    let mut table = vec![0_u8; 446];
    // Not bootable, no cylinders and heads, type FAT16 with LBA.
    table.extend([0, 0xfe, 0xff, 0xff, 0x0e, 0xfe, 0xff, 0xff]);
    table.extend(long(PARTITION_START).to_le_bytes());
    table.extend(long(geometry.sectors).to_le_bytes());
    table.resize(510, 0);
    table.extend([0x55, 0xaa]);
    table
}

fn boot_sector(geometry: Geometry, label: [u8; 11]) -> Vec<u8> {
    let mut boot = vec![0xeb, 0x3c, 0x90];
    boot.extend(b"SAMPAN  ");
    boot.extend(short(SECTOR).to_le_bytes());
    boot.push(u8::try_from(geometry.sectors_per_cluster).unwrap_or(u8::MAX));
    boot.extend(short(RESERVED_SECTORS).to_le_bytes());
    boot.push(2);
    boot.extend(ROOT_ENTRIES.to_le_bytes());
    boot.extend([0, 0, MEDIA]);
    boot.extend(short(geometry.fat_sectors).to_le_bytes());
    // Sectors of a track and heads: what tools write where nobody uses them.
    boot.extend([63, 0, 255, 0]);
    boot.extend(long(PARTITION_START).to_le_bytes());
    boot.extend(long(geometry.sectors).to_le_bytes());
    boot.extend([0x80, 0, 0x29]);
    boot.extend(*b"SMPN");
    boot.extend(label);
    boot.extend(b"FAT16   ");
    boot.resize(510, 0);
    boot.extend([0x55, 0xaa]);
    boot
}

fn directory_entry(name: [u8; 11], attributes: u8, cluster: u16, size: usize) -> Vec<u8> {
    let mut entry = name.to_vec();
    entry.push(attributes);
    entry.resize(24, 0);
    entry.extend(FIRST_DAY.to_le_bytes());
    entry.extend(cluster.to_le_bytes());
    entry.extend(long(size as u64).to_le_bytes());
    entry
}

fn set_link(fat: &mut [u8], cluster: u64, next: u16) {
    let at = narrow(cluster * 2);
    if let Some(place) = fat.get_mut(at..at + 2) {
        place.copy_from_slice(&next.to_le_bytes());
    }
}

// The sizes of `format` keep every number within its field.
fn short(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn long(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
