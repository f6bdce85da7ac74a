//! Calculates estimates: pure functions of a request and a price book.
//!
//! The same request and the same book give the same estimate; no clock, no file, no network. The age of prices is
//! therefore not part of an estimate but told beside it.

mod assumed;
mod copy;
mod download;
mod export;
mod fee;
mod line;
mod sizes;
mod total;

use std::borrow::Cow;
use std::sync::Arc;

use sampan_core::Cloud;

pub use assumed::{Assumed, Assumption};
pub use copy::copy;
pub use download::download;
pub use export::export;
pub use line::{Line, LineKind, Measure, Status};
pub use total::Totals;

use crate::book::{Confidence, PriceBook, Site};
use crate::money::{Currency, Range};

/// What an estimate is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An image to a bucket.
    Export,
    /// An image to other regions.
    Copy,
    /// Objects out of a bucket.
    Download,
}

/// Something that the reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Stable word.
    pub code: &'static str,
    /// One sentence.
    pub text: Cow<'static, str>,
}

/// What something will cost.
#[derive(Debug, Clone)]
pub struct Estimate<'b> {
    /// What it is about.
    pub kind: Kind,
    /// Vendor.
    pub cloud: Cloud,
    /// Price list.
    pub site: Site,
    /// Region of the image or the objects.
    pub region: Arc<str>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Fees.
    pub lines: Vec<Line<'b>>,
    /// Sums of the fees.
    pub totals: Totals,
    /// How sure the whole is.
    pub confidence: Confidence,
    /// What was assumed.
    pub assumptions: Vec<Assumption>,
    /// What the reader should know.
    pub warnings: Vec<Notice>,
    /// Storage class in the vendor's spelling; empty for copies.
    pub storage_class: &'static str,
    /// Hours that the data is kept; 0 for downloads.
    pub keep_hours: u64,
    /// Bytes of each object or snapshot.
    pub sizes: Vec<Range<u64>>,
    /// The prices.
    pub book: &'b PriceBook,
}
