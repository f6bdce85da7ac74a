//! Decides how a disk looks as a vmdk file.

use super::Content;

pub(super) fn build(disk: &Content) -> Content {
    disk.clone()
}
