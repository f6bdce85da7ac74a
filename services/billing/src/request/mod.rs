//! Says what can be asked, and turns messages into it; single fields are read by the reader.

mod reader;

use std::sync::Arc;

use rust_decimal::Decimal;
use sampan_chassis::status::Problem;
use sampan_core::{Cloud, ImageFormat, Reason};
use sampan_proto::billing::v1 as pb;

pub(crate) use reader::optional_site;
use reader::{MOST_ACCOUNTS, Reader};

use crate::book::{PriceBook, Site};
use crate::class::Class;

/// Hours of the period when the request names none: one priced month.
pub const DEFAULT_KEEP_HOURS: u64 = 720;

/// Where and on which list a price is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Vendor.
    pub cloud: Cloud,
    /// Price list.
    pub site: Site,
    /// Region.
    pub region: Arc<str>,
}

/// One disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Size in bytes, never 0.
    pub capacity: u64,
    /// Bytes in use, at most the capacity; `None` when not known.
    pub used: Option<u64>,
}

/// How long data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Full hours, never 0.
    pub hours: u64,
    /// Whether the request named none.
    pub is_default: bool,
}

/// How fast objects are restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RestoreSpeed {
    /// The vendor's fastest.
    Expedited,
    /// The vendor's default.
    #[default]
    Standard,
    /// The vendor's cheapest.
    Bulk,
}

/// Downloads that are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Downloads {
    /// Over the internet; by day where that matters.
    pub public: u64,
    /// Over the internet by night.
    pub public_off_peak: u64,
    /// Inside the region.
    pub private: u64,
    /// Speed of restores.
    pub restore_speed: RestoreSpeed,
    /// Restores of each object; `None` means one for all downloads.
    pub restores: Option<u64>,
    /// Hours that a restored copy is kept; `None` means a day.
    pub restored_hours: Option<u64>,
}

impl Downloads {
    /// Returns the number of all downloads.
    pub fn all(&self) -> u64 {
        self.public + self.public_off_peak + self.private
    }
}

/// What is left of free tiers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Free {
    /// Object storage in bytes.
    pub storage: u64,
    /// Snapshots in bytes, in each region.
    pub snapshot: u64,
    /// Traffic to the internet in bytes.
    pub public_traffic: u64,
    /// KMS calls.
    pub kms_calls: u64,
}

/// Values in place of assumptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Size of a file divided by the capacity of its disk.
    pub export_ratio: Option<Decimal>,
    /// Bytes of an uploaded part.
    pub write_part: Option<u64>,
    /// Bytes of a ranged read.
    pub read_part: Option<u64>,
    /// KMS calls for each disk and region.
    pub kms_calls_per_disk: Option<u64>,
}

/// With which key copies are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// The cloud's own key.
    DefaultKey,
    /// A key of the customer.
    OwnKey,
    /// A user key of Alibaba's legacy KMS.
    LegacyKey,
}

/// An export to be estimated.
#[derive(Debug, Clone)]
pub struct Export {
    /// Where.
    pub place: Place,
    pub(crate) class: &'static Class,
    /// Format of the files.
    pub format: ImageFormat,
    /// The disks, at least one.
    pub disks: Vec<Disk>,
    /// How long the objects are kept.
    pub keep: Keep,
    /// The downloads.
    pub downloads: Downloads,
    /// Free tiers.
    pub free: Free,
    /// Replaced assumptions.
    pub overrides: Overrides,
    /// Whether the published discount counts instead of the list price.
    pub is_discounted: bool,
}

/// A copy to be estimated.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Where the image is.
    pub source: Place,
    /// Regions that get a copy, at least one, each once.
    pub destinations: Vec<Arc<str>>,
    /// The disks, at least one.
    pub disks: Vec<Disk>,
    /// How long the copies are kept.
    pub keep: Keep,
    /// Encryption, if any.
    pub encryption: Option<Encryption>,
    /// Accounts that it is shared with.
    pub share_accounts: u64,
    /// Free tiers.
    pub free: Free,
    /// Replaced assumptions.
    pub overrides: Overrides,
}

/// Downloads to be estimated.
#[derive(Debug, Clone)]
pub struct Download {
    /// Where.
    pub place: Place,
    pub(crate) class: &'static Class,
    /// Bytes of each object, at least one.
    pub objects: Vec<u64>,
    /// The downloads, at least one.
    pub downloads: Downloads,
    /// Free tiers.
    pub free: Free,
    /// Replaced assumptions.
    pub overrides: Overrides,
}

impl Export {
    /// Reads a request.
    ///
    /// # Errors
    /// Every wrong field with its reason.
    pub fn parse(request: &pb::EstimateExportRequest, book: &PriceBook) -> Result<Self, Problem> {
        let mut read = Reader::new(book);
        let place = read.place(request.cloud, request.site, "region", &request.region, &request.currency);
        let class = place.as_ref().and_then(|place| read.class(place.cloud, &request.storage_class));
        let format = read.format(request.format, place.as_ref().map(|place| place.cloud));
        let disks = read.disks(&request.disks);
        let keep = read.keep(request.keep_for);
        let downloads = read.downloads(request.downloads.as_ref());
        let free = read.free(request.free.as_ref());
        let overrides = read.overrides(request.overrides.as_ref());
        let is_discounted = read.is_discounted(request.price_basis);
        read.fields.finish()?;
        match (place, class, format) {
            (Some(place), Some(class), Some(format)) => {
                Ok(Self { place, class, format, disks, keep, downloads, free, overrides, is_discounted })
            }
            _ => Err(unread()),
        }
    }

    /// Returns the storage class in the vendor's spelling.
    pub fn class_name(&self) -> &'static str {
        self.class.name
    }
}

impl Copy {
    /// Reads a request.
    ///
    /// # Errors
    /// Every wrong field with its reason.
    pub fn parse(request: &pb::EstimateCopyRequest, book: &PriceBook) -> Result<Self, Problem> {
        let mut read = Reader::new(book);
        let source =
            read.place(request.cloud, request.site, "source_region", &request.source_region, &request.currency);
        let cloud = source.as_ref().map(|place| place.cloud);
        let destinations = read.destinations(cloud, &request.destination_regions);
        let disks = read.disks(&request.disks);
        let keep = read.keep(request.keep_for);
        let encryption = read.encryption(request.encryption, cloud);
        let share_accounts = read.count("share_account_count", request.share_account_count, MOST_ACCOUNTS);
        let free = read.free(request.free.as_ref());
        let overrides = read.overrides(request.overrides.as_ref());
        read.fields.finish()?;
        let source = source.ok_or_else(unread)?;
        Ok(Self { source, destinations, disks, keep, encryption, share_accounts, free, overrides })
    }
}

impl Download {
    /// Reads a request.
    ///
    /// # Errors
    /// Every wrong field with its reason.
    pub fn parse(request: &pb::EstimateDownloadRequest, book: &PriceBook) -> Result<Self, Problem> {
        let mut read = Reader::new(book);
        let place = read.place(request.cloud, request.site, "region", &request.region, &request.currency);
        let class = place.as_ref().and_then(|place| read.class(place.cloud, &request.storage_class));
        let objects = read.objects(&request.object_sizes_bytes);
        let downloads = read.downloads(request.downloads.as_ref());
        if downloads.all() == 0 && read.is_clean() {
            read.fields.refuse("downloads", Reason::FieldRequired, "no download is asked for");
        }
        let free = read.free(request.free.as_ref());
        let overrides = read.overrides(request.overrides.as_ref());
        read.fields.finish()?;
        match (place, class) {
            (Some(place), Some(class)) => Ok(Self { place, class, objects, downloads, free, overrides }),
            _ => Err(unread()),
        }
    }

    /// Returns the storage class in the vendor's spelling.
    pub fn class_name(&self) -> &'static str {
        self.class.name
    }
}

fn unread() -> Problem {
    Problem::new(Reason::InternalFault, "a field was neither read nor refused")
}
