//! Names what an estimate assumes, and how a caller replaces it.

use std::borrow::Cow;

/// A kind of assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assumed {
    /// Size of exported files.
    ExportedSize,
    /// Size of snapshots.
    SnapshotSize,
    /// Part size of the vendor's exporter.
    WritePartSize,
    /// Size of ranged reads.
    ReadPartSize,
    /// Number of restores.
    RestoreCount,
    /// How long restored copies are kept.
    RestoredFor,
    /// Calls of the key service.
    KmsCalls,
    /// Whether an instance of the key service exists.
    KmsInstance,
    /// Whether the copy of an image is billed as that of its snapshots.
    CopyAsSnapshot,
    /// Free tiers, packages and contracts.
    FreeTiers,
    /// Length of a priced month.
    MonthLength,
    /// The period, when the request names none.
    KeepFor,
    /// What the account stores already, where prices fall with volume.
    TierBase,
    /// List or discount.
    PriceBasis,
}

impl Assumed {
    /// Returns the stable word.
    pub fn code(self) -> &'static str {
        match self {
            Self::ExportedSize => "EXPORTED_SIZE",
            Self::SnapshotSize => "SNAPSHOT_SIZE",
            Self::WritePartSize => "WRITE_PART_SIZE",
            Self::ReadPartSize => "READ_PART_SIZE",
            Self::RestoreCount => "RESTORE_COUNT",
            Self::RestoredFor => "RESTORED_FOR",
            Self::KmsCalls => "KMS_CALLS",
            Self::KmsInstance => "KMS_INSTANCE",
            Self::CopyAsSnapshot => "COPY_AS_SNAPSHOT",
            Self::FreeTiers => "FREE_TIERS",
            Self::MonthLength => "MONTH_LENGTH",
            Self::KeepFor => "KEEP_FOR",
            Self::TierBase => "TIER_BASE",
            Self::PriceBasis => "PRICE_BASIS",
        }
    }

    /// Returns what is assumed and why.
    pub fn text(self) -> &'static str {
        match self {
            Self::ExportedSize => {
                "The size of a packed or sparse file is not known before the export: at most the disk, expected and \
                 least by a share of the data in use, or of the disk where that is not known."
            }
            Self::SnapshotSize => {
                "A snapshot holds the blocks that were written: at most the disk, and the data in use where that is \
                 known."
            }
            Self::WritePartSize => {
                "The exporter's part size is not documented: least with parts of 5 GiB, most with the 10 000 parts \
                 that an object can have; two calls more begin and complete each object."
            }
            Self::ReadPartSize => {
                "How a download reads is the caller's choice: least in one request, most in ranges of 1 MiB."
            }
            Self::RestoreCount => "Objects of a cold class are restored before they are read, once for all downloads.",
            Self::RestoredFor => "A restored copy is kept for a while and billed beside the object.",
            Self::KmsCalls => {
                "The calls of the key service are not documented; a vendor's example shows about 3 for each disk."
            }
            Self::KmsInstance => {
                "A key of one's own needs an instance of the key service; expected is one that exists already, most \
                 is a new software instance with one query per second."
            }
            Self::CopyAsSnapshot => {
                "Copying an image is documented free and copying its snapshots is not, though the bytes are the \
                 same; most counts them as snapshots."
            }
            Self::FreeTiers => "Free tiers, prepaid packages and contract discounts are left out unless given.",
            Self::MonthLength => "A priced month has 30 days on both clouds, whatever the calendar says.",
            Self::KeepFor => "The request names no period.",
            Self::TierBase => "Price tiers are counted from zero: what the account uses already is not known.",
            Self::PriceBasis => {
                "Storage has a list price and a published discount on this site; bills normally use the lower one."
            }
        }
    }

    /// Returns the request field that overrides it; empty when nothing does.
    pub fn override_field(self) -> &'static str {
        match self {
            Self::ExportedSize => "overrides.export_ratio",
            Self::SnapshotSize => "disks.used_bytes",
            Self::WritePartSize => "overrides.write_part_bytes",
            Self::ReadPartSize => "overrides.read_part_bytes",
            Self::RestoreCount => "downloads.restore_count",
            Self::RestoredFor => "downloads.restored_for",
            Self::KmsCalls => "overrides.kms_calls_per_disk",
            Self::FreeTiers => "free",
            Self::KeepFor => "keep_for",
            Self::PriceBasis => "price_basis",
            Self::KmsInstance | Self::CopyAsSnapshot | Self::MonthLength | Self::TierBase => "",
        }
    }
}

/// An assumption with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// What is assumed.
    pub what: Assumed,
    /// The value in force.
    pub value: Cow<'static, str>,
}
