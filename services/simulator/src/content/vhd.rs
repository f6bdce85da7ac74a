//! Decides how a disk looks as a fixed VHD: its bytes, then one footer.
//!
//! Format: "Virtual Hard Disk Image Format Specification" of Microsoft, version 1.0.

use super::{Builder, Content, SECTOR, guid};

/// Returns the disk's bytes, padded to a sector, and the footer.
pub(super) fn build(disk: &Content) -> Content {
    let mut builder = Builder::default();
    builder.push_range(disk, 0, disk.len());
    builder.pad_to(SECTOR);
    let footer = footer(builder.len);
    builder.push_bytes(footer);
    builder.finish()
}

fn footer(len: u64) -> Vec<u8> {
    let (cylinders, heads, sectors) = geometry(len / SECTOR);
    let mut footer = Vec::with_capacity(512);
    footer.extend(b"conectix");
    footer.extend(2_u32.to_be_bytes()); // features: reserved bit, always set
    footer.extend(0x0001_0000_u32.to_be_bytes()); // format version
    footer.extend(u64::MAX.to_be_bytes()); // no dynamic header
    footer.extend(0_u32.to_be_bytes()); // time: the same disk gives the same file
    // Readers take the size from the geometry, which rounds, unless they know the creator as exact.
    footer.extend(b"win ");
    footer.extend(0x000a_0000_u32.to_be_bytes());
    footer.extend(b"Wi2k");
    footer.extend(len.to_be_bytes());
    footer.extend(len.to_be_bytes());
    footer.extend(cylinders.to_be_bytes());
    footer.extend([heads, sectors]);
    footer.extend(2_u32.to_be_bytes()); // fixed
    footer.extend(0_u32.to_be_bytes()); // checksum, below
    footer.extend(guid(len));
    footer.resize(512, 0);
    let sum = footer.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    if let Some(place) = footer.get_mut(64..68) {
        place.copy_from_slice(&(!sum).to_be_bytes());
    }
    footer
}

/// Returns cylinders, heads and sectors per track by the appendix of the specification.
fn geometry(total_sectors: u64) -> (u16, u8, u8) {
    let total = total_sectors.min(65_535 * 16 * 255);
    let (heads, sectors) = if total >= 65_535 * 16 * 63 {
        (16, 255)
    } else {
        let tracks = total / 17;
        let heads = tracks.div_ceil(1024).max(4);
        if tracks < heads * 1024 && heads <= 16 {
            (heads, 17)
        } else if total / 31 < 16 * 1024 {
            (16, 31)
        } else {
            (16, 63)
        }
    };
    let cylinders = total / sectors / heads;
    let small = |number: u64| u8::try_from(number).unwrap_or(u8::MAX);
    (u16::try_from(cylinders).unwrap_or(u16::MAX), small(heads), small(sectors))
}
