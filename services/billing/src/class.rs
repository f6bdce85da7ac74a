//! Knows the storage classes of both clouds: minimum periods and sizes, and what reading their data costs.
//!
//! Sources: the storage-fee pages of COS (2023-07-10, 2024-01-06) and OSS (2024-12-20). Prices are in the book.

use sampan_core::Cloud;

use crate::book::Item;

/// What reading the data of a class costs besides requests and traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nothing: the vendors list retrieval for colder classes alone.
    Free,
    /// A fee per GB, each time.
    Retrieved,
    /// The object must be restored first.
    Restored(Restore),
}

/// What a restore costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restore {
    /// Whether the price of the data depends on the speed; else it is that of retrieval.
    pub(crate) has_speeds: bool,
    /// Whether the vendor lists a price for the requests.
    pub(crate) has_request_fee: bool,
    /// Whose price the restored copy is billed at while it exists: the item and the class.
    pub(crate) copy: Option<(Item, &'static str)>,
}

/// Rules of one storage class.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// Name in the vendor's spelling, as in the price book.
    pub(crate) name: &'static str,
    /// Other spellings that requests may use.
    pub(crate) also: &'static [&'static str],
    /// Hours that are billed at least.
    pub(crate) minimum_hours: u64,
    /// Bytes that an object is billed for at least.
    pub(crate) minimum_bytes: u64,
    /// What reading costs.
    pub(crate) reading: Reading,
    /// Class whose prices hold for reads and traffic that have none of their own, because restored data is read as
    /// that class.
    pub(crate) read_as: Option<&'static str>,
}

const DAY: u64 = 24;
const SMALL_OBJECT: u64 = 64 * 1024;

const fn warm(name: &'static str, also: &'static [&'static str]) -> Class {
    Class { name, also, minimum_hours: 0, minimum_bytes: 0, reading: Reading::Free, read_as: None }
}

const fn infrequent(name: &'static str, also: &'static [&'static str]) -> Class {
    Class {
        name,
        also,
        minimum_hours: 30 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Retrieved,
        read_as: None,
    }
}

const TENCENT_COPY: Option<(Item, &str)> = Some((Item::Storage, "STANDARD"));

const TENCENT: &[Class] = &[
    warm("STANDARD", &[]),
    infrequent("STANDARD_IA", &[]),
    warm("MAZ_STANDARD", &[]),
    infrequent("MAZ_STANDARD_IA", &[]),
    Class {
        name: "ARCHIVE",
        also: &[],
        minimum_hours: 90 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Restored(Restore { has_speeds: true, has_request_fee: false, copy: TENCENT_COPY }),
        read_as: Some("STANDARD"),
    },
    Class {
        name: "DEEP_ARCHIVE",
        also: &[],
        minimum_hours: 180 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Restored(Restore { has_speeds: true, has_request_fee: true, copy: TENCENT_COPY }),
        read_as: Some("STANDARD"),
    },
];

const ALIBABA: &[Class] = &[
    warm("Standard-LRS", &["Standard"]),
    warm("Standard-ZRS", &[]),
    infrequent("IA-LRS", &["IA"]),
    infrequent("IA-ZRS", &[]),
    Class {
        name: "Archive-LRS",
        also: &["Archive"],
        minimum_hours: 60 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Restored(Restore { has_speeds: false, has_request_fee: false, copy: None }),
        read_as: None,
    },
    Class {
        name: "ColdArchive-LRS",
        also: &["ColdArchive"],
        minimum_hours: 180 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Restored(Restore {
            has_speeds: true,
            has_request_fee: true,
            copy: Some((Item::TemporaryStorage, "ColdArchive-LRS")),
        }),
        read_as: None,
    },
    Class {
        name: "DeepColdArchive-LRS",
        also: &["DeepColdArchive"],
        minimum_hours: 180 * DAY,
        minimum_bytes: SMALL_OBJECT,
        reading: Reading::Restored(Restore {
            has_speeds: true,
            has_request_fee: true,
            copy: Some((Item::TemporaryStorage, "DeepColdArchive-LRS")),
        }),
        read_as: None,
    },
];

/// Returns the classes of a cloud, the standard class first.
pub(crate) fn of(cloud: Cloud) -> &'static [Class] {
    match cloud {
        Cloud::Tencent => TENCENT,
        Cloud::Alibaba => ALIBABA,
    }
}

/// Returns the names of a cloud's storage classes in the vendor's spelling, the standard class first.
pub fn storage_classes(cloud: Cloud) -> impl Iterator<Item = &'static str> {
    of(cloud).iter().map(|class| class.name)
}

/// Finds a class by any of its spellings, in any case; the empty word means the standard class.
pub(crate) fn find(cloud: Cloud, word: &str) -> Option<&'static Class> {
    let classes = of(cloud);
    if word.is_empty() {
        return classes.first();
    }
    let is = |name: &&'static str| name.eq_ignore_ascii_case(word);
    classes.iter().find(|class| is(&class.name) || class.also.iter().any(is))
}
