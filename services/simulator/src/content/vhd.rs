//! Decides how a disk looks as a vhd file.

use super::Content;

pub(super) fn build(disk: &Content) -> Content {
    disk.clone()
}
