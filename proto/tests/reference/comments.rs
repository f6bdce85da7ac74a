//! Finds the comment of a part of a file by its place in the descriptor.

use std::collections::HashMap;

use prost_types::FileDescriptorProto;

/// The comments of one file.
#[derive(Debug)]
pub(super) struct Comments<'a>(HashMap<&'a [i32], &'a str>);

impl<'a> Comments<'a> {
    /// Takes the comments that stand before each part.
    pub(super) fn of(file: &'a FileDescriptorProto) -> Self {
        let places = file.source_code_info.iter().flat_map(|info| &info.location);
        Self(places.filter_map(|place| Some((place.path.as_slice(), place.leading_comments.as_deref()?))).collect())
    }

    /// Returns the comment at `path` as one line; empty when there is none.
    pub(super) fn at(&self, path: &[i32]) -> String {
        let text = self.0.get(path).copied().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns the comment at `path` for a cell of a table.
    pub(super) fn cell(&self, path: &[i32]) -> String {
        self.at(path).replace('|', "\\|")
    }
}
