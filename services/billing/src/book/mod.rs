//! The price book: every known price with its source, validated, versioned and hashed.
//!
//! What is not in the book has no price; nothing in Sampan takes that for zero. A book never changes after it was
//! loaded.

mod age;
mod read;
mod row;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;

use sampan_core::Cloud;
use sha2::{Digest as _, Sha256};

pub(crate) use age::stale;
pub use age::{DEFAULT_MAX_AGE_DAYS, Stale};
pub use read::{COLUMNS, RowProblem};
pub use row::{Confidence, Item, Key, Row, Site, Unit, UnknownWord};

/// The prices that come with Sampan.
const BUILT_IN: &str = include_str!("../../data/prices.csv");
/// The day on which they were collected.
const BUILT_IN_VERSION: &str = "2026-11-21";
/// Name that estimates give to their file.
const BUILT_IN_NAME: &str = "built-in";
/// Region of prices that hold everywhere.
const EVERYWHERE: &str = "all";
/// More than this many wrong rows are not worth listing.
const MOST_PROBLEMS: usize = 20;

/// A price file that cannot be used; the book stays unloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// Every wrong row, in the order of the file; at least one.
    pub problems: Vec<RowProblem>,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::from("the price file cannot be used");
        for problem in self.problems.iter().take(MOST_PROBLEMS) {
            let _ = write!(text, "; {problem}");
        }
        if self.problems.len() > MOST_PROBLEMS {
            let _ = write!(text, "; and {} more", self.problems.len() - MOST_PROBLEMS);
        }
        f.write_str(&text)
    }
}

impl std::error::Error for LoadError {}

/// One file of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFile {
    /// Name without folders.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// Every known price.
#[derive(Debug, Clone)]
pub struct PriceBook {
    rows: Vec<Row>,
    /// Where the rows of a key are, by the hash of the key. Of two keys of one hash only the first has a place.
    places: HashMap<u64, Range<usize>>,
    /// Every region that a vendor has a price for, in order: asked for with each request.
    regions: Vec<(Cloud, Arc<str>)>,
    files: Vec<PriceFile>,
    version: String,
    sha256: String,
}

impl PriceBook {
    /// Loads the prices that come with Sampan.
    ///
    /// # Errors
    /// [`LoadError`] when they are not valid; a test of this package would have failed before.
    pub fn built_in() -> Result<Self, LoadError> {
        Self::load(&[(BUILT_IN_NAME, BUILT_IN)], BUILT_IN_VERSION.to_owned())
    }

    /// Loads a file of the user's in place of the built-in prices.
    ///
    /// - `name`: name of the file, for messages and estimates.
    ///
    /// # Errors
    /// [`LoadError`] with every wrong row.
    pub fn replaced(name: &str, text: &str) -> Result<Self, LoadError> {
        let version = format!("{name}@{}", short(&digest(&[text])));
        Self::load(&[(name, text)], version)
    }

    /// Loads a file of the user's on top of the built-in prices: a price that both have is the user's, with all of
    /// its tiers.
    ///
    /// - `name`: name of the file, for messages and estimates.
    ///
    /// # Errors
    /// [`LoadError`] with every wrong row.
    pub fn extended(name: &str, text: &str) -> Result<Self, LoadError> {
        let version = format!("{BUILT_IN_VERSION}+{name}@{}", short(&digest(&[text])));
        Self::load(&[(BUILT_IN_NAME, BUILT_IN), (name, text)], version)
    }

    fn load(files: &[(&str, &str)], version: String) -> Result<Self, LoadError> {
        let mut rows: Vec<Row> = Vec::new();
        let mut problems = Vec::new();
        for (index, (name, text)) in files.iter().enumerate() {
            let mut reading = read::Reading::new(name, index);
            let mut added = reading.rows(text);
            added.sort_by(|a, b| (&a.key, a.tier_from).cmp(&(&b.key, b.tier_from)));
            for (line, message) in read::misfits(&added) {
                reading.refuse(line, message);
            }
            problems.append(&mut reading.problems);
            rows.retain(|row| find(&added, &row.key).is_empty());
            rows.append(&mut added);
            rows.sort_by(|a, b| (&a.key, a.tier_from).cmp(&(&b.key, b.tier_from)));
        }
        if !problems.is_empty() {
            return Err(LoadError { problems });
        }
        let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
        let names = files.iter().map(|(name, text)| PriceFile { name: (*name).to_owned(), sha256: digest(&[text]) });
        let mut regions: Vec<_> = rows.iter().map(|row| (row.key.cloud, Arc::clone(&row.key.region))).collect();
        regions.sort_unstable();
        regions.dedup();
        Ok(Self { places: places(&rows), rows, regions, files: names.collect(), version, sha256: digest(&texts) })
    }

    /// Returns the tiers of a price in their order, empty when there is no such price.
    ///
    /// Tries the region before prices that hold everywhere, and the class before prices that hold for all classes.
    pub fn tiers(&self, cloud: Cloud, site: Site, region: &str, item: Item, class: &str) -> &[Row] {
        let wanted = |region, class| Wanted { cloud, site, region, item, class };
        [(region, class), (region, ""), (EVERYWHERE, class), (EVERYWHERE, "")]
            .into_iter()
            .map(|(region, class)| self.exactly(&wanted(region, class)))
            .find(|tiers| !tiers.is_empty())
            .unwrap_or_default()
    }

    fn exactly(&self, wanted: &Wanted<'_>) -> &[Row] {
        let Some(place) = self.places.get(&wanted.hash()) else { return &[] };
        match self.rows.get(place.clone()) {
            Some(rows) if rows.first().is_some_and(|row| wanted.is(&row.key)) => rows,
            Some(_) | None => self.search(wanted),
        }
    }

    /// Finds a key whose hash is that of another one.
    fn search(&self, wanted: &Wanted<'_>) -> &[Row] {
        let start = self.rows.partition_point(|row| wanted.is_after(&row.key));
        let rest = self.rows.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|row| wanted.is(&row.key)).count();
        rest.get(..count).unwrap_or_default()
    }

    /// Returns every price, by cloud, site, region, item, class and tier.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns whether any price of the vendor, on either list, is for the region.
    pub fn knows_region(&self, cloud: Cloud, region: &str) -> bool {
        let place = self.regions.binary_search_by(|(known, name)| (*known, &**name).cmp(&(cloud, region)));
        region != EVERYWHERE && place.is_ok()
    }

    /// Returns the regions of a vendor's list, in alphabetical order.
    pub fn regions(&self, cloud: Cloud, site: Site) -> Vec<Arc<str>> {
        let of_list = self.rows.iter().filter(|row| row.key.cloud == cloud && row.key.site == site);
        let mut regions: Vec<_> = of_list.map(|row| Arc::clone(&row.key.region)).collect();
        regions.dedup();
        regions.retain(|region| &**region != EVERYWHERE);
        regions
    }

    /// Returns the version: the day of the built-in prices, or the user's file and the first digits of its hash.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the SHA-256 of the bytes of all files, one after the other, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the files, in the order in which later ones win.
    pub fn files(&self) -> &[PriceFile] {
        &self.files
    }
}

/// A key that borrows, so that a look-up allocates nothing.
struct Wanted<'a> {
    cloud: Cloud,
    site: Site,
    region: &'a str,
    item: Item,
    class: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(key: &'a Key) -> Self {
        Self { cloud: key.cloud, site: key.site, region: &key.region, item: key.item, class: &key.class }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.cloud, self.site, self.region, self.item, self.class).hash(&mut hasher);
        hasher.finish()
    }

    fn is(&self, key: &Key) -> bool {
        self.compare(key).is_eq()
    }

    fn is_after(&self, key: &Key) -> bool {
        self.compare(key).is_gt()
    }

    fn compare(&self, key: &Key) -> std::cmp::Ordering {
        (self.cloud, self.site, self.region, self.item, self.class).cmp(&(
            key.cloud,
            key.site,
            &*key.region,
            key.item,
            &*key.class,
        ))
    }
}

/// Returns where the rows of each key are.
fn places(rows: &[Row]) -> HashMap<u64, Range<usize>> {
    let mut places = HashMap::new();
    let mut start = 0;
    for same in rows.chunk_by(|a, b| a.key == b.key) {
        let end = start + same.len();
        if let Some(row) = same.first() {
            places.entry(Wanted::of(&row.key).hash()).or_insert(start..end);
        }
        start = end;
    }
    places
}

fn find<'a>(sorted: &'a [Row], key: &Key) -> &'a [Row] {
    let start = sorted.partition_point(|row| row.key < *key);
    let rest = sorted.get(start..).unwrap_or_default();
    let count = rest.iter().take_while(|row| row.key == *key).count();
    rest.get(..count).unwrap_or_default()
}

fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
    }
    hex::encode(hash.finalize())
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
