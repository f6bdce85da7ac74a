//! Every format gives the same bytes back: read by other people's tools where there are any.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Stdio};

use sampan_core::ImageFormat;
use sampan_simulator::content::{Content, disk_file, from_file, generated_disk, tar_gz};

const MIB: u64 = 1 << 20;

fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("{tool} is not installed: what it would read back stays unread");
    }
    found
}

fn bytes(content: &Content) -> Vec<u8> {
    content.read(0, usize::try_from(content.len()).unwrap()).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A file with data at both ends and in the middle, of a length that is no multiple of any block.
fn ragged_file(folder: &Path, len: u64) -> Content {
    let mut all = vec![0; usize::try_from(len).unwrap()];
    for (start, count) in [(0, 70_000), (len / 2 + 17, 300_000), (len - 3_333, 3_333)] {
        for (step, byte) in (0_u8..=250).cycle().zip(&mut all[usize::try_from(start).unwrap()..][..count]) {
            *byte = step + 1;
        }
    }
    let path = folder.join(format!("{len}.raw"));
    std::fs::write(&path, all).unwrap();
    from_file(&path).unwrap()
}

#[test]
fn qemu_reads_the_same_bytes_from_every_format() {
    if !is_there("qemu-img") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disks = [
        ragged_file(folder.path(), 40 * MIB),
        ragged_file(folder.path(), 3 * MIB + 512 * 7),
        generated_disk(5, 700 * MIB),
        generated_disk(6, 512),
    ];
    for disk in &disks {
        for format in [ImageFormat::Vhd, ImageFormat::Qcow2, ImageFormat::Vmdk, ImageFormat::Vdi] {
            let name = if format == ImageFormat::Vhd { "vpc" } else { format.as_str() };
            let (packed, raw) = (folder.path().join("packed"), folder.path().join("raw"));
            std::fs::write(&packed, bytes(&disk_file(disk, format))).unwrap();
            run(Command::new("qemu-img").args(["convert", "-f", name, "-O", "raw"]).args([&packed, &raw]));
            if format == ImageFormat::Qcow2 || format == ImageFormat::Vdi {
                run(Command::new("qemu-img").args(["check", "-f", name]).arg(&packed));
            }
            let read_back = from_file(&raw).unwrap();
            assert_eq!(read_back.len(), disk.len(), "{format}");
            assert_eq!(read_back.crc64().unwrap(), disk.crc64().unwrap(), "{format}");
        }
    }
}

#[test]
fn gnu_tar_unpacks_the_same_bytes_and_holes_cost_nothing() {
    if !is_there("tar") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disks = [
        ragged_file(folder.path(), 30 * MIB + 123),
        generated_disk(1, 40 * MIB),
        // Over 8 GiB: numbers that octal digits cannot hold.
        generated_disk(2, 9 << 30),
        // No hole, all hole, nothing.
        Content::from_bytes(vec![7; 5_000]),
        disk_file(&generated_disk(3, 0), ImageFormat::Raw),
        many_islands(folder.path()),
    ];
    for disk in &disks {
        let packed = tar_gz(disk, "m-1_system.raw", folder.path(), |_| {}).unwrap();
        assert!(packed.len() < disk.data_len() + 64 * 1024, "{} of {disk:?}", packed.len());
        let archive = folder.path().join("packed.tar.gz");
        std::fs::write(&archive, bytes(&packed)).unwrap();
        run(Command::new("tar").arg("-xzSf").arg(&archive).arg("-C").arg(folder.path()));
        let read_back = from_file(&folder.path().join("m-1_system.raw")).unwrap();
        assert_eq!(read_back.len(), disk.len());
        assert_eq!(read_back.crc64().unwrap(), disk.crc64().unwrap(), "{disk:?}");
    }
}

/// More regions than fit in a header and in one block that continues it; ends in a hole.
fn many_islands(folder: &Path) -> Content {
    let mut all = vec![0; usize::try_from(20 * MIB).unwrap()];
    for place in (0..60).map(|island| island * 300_000 + 5) {
        all[place] = 1;
    }
    std::fs::write(folder.join("islands.raw"), all).unwrap();
    from_file(&folder.join("islands.raw")).unwrap()
}

#[test]
fn a_large_disk_is_summed_and_packed_without_being_written_out() {
    let disk = generated_disk(9, 500 << 30);
    for format in ImageFormat::ALL {
        let file = disk_file(&disk, format);
        file.crc64().unwrap();
        assert!(file.data_len() < 8 * MIB, "{format}: {}", file.data_len());
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(tar_gz(&disk, "disk.raw", folder.path(), |_| {}).unwrap().len() < 5 * MIB);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
