//! Decides how the documents of OSS are put together.

use std::fmt::Write;

/// A document under way; every text is escaped.
#[derive(Debug, Clone)]
pub(super) struct Document {
    text: String,
    root: &'static str,
}

impl Document {
    pub(super) fn new(root: &'static str) -> Self {
        Self { text: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>"), root }
    }

    /// Adds an element with text.
    pub(super) fn text(mut self, name: &str, text: impl AsRef<str>) -> Self {
        self.add(name, text.as_ref());
        self
    }

    /// Adds an element that `fill` puts others into.
    pub(super) fn nested(mut self, name: &str, fill: impl FnOnce(Self) -> Self) -> Self {
        // Writing into a string cannot fail.
        let _ = write!(self.text, "<{name}>");
        self = fill(self);
        let _ = write!(self.text, "</{name}>");
        self
    }

    pub(super) fn finish(self) -> String {
        format!("{}</{}>", self.text, self.root)
    }

    fn add(&mut self, name: &str, text: &str) {
        let _ = write!(self.text, "<{name}>{}</{name}>", quick_xml::escape::escape(text));
    }
}
