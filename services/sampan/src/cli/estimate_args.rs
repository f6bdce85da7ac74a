//! The options of `sampan estimate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sampan_core::{Cloud, ImageFormat};
use sampan_proto::billing::v1 as pb;
use sampan_proto::export::v1 as export_pb;
use sampan_proto::image::v1 as image_pb;

use super::{ConnectionArgs, examples, image_args, parse};

/// Jobs that can be estimated.
#[derive(Debug, Subcommand)]
#[command(after_help = examples::ESTIMATE)]
pub enum EstimateCommand {
    /// Estimates an export, the storage of its files and their downloads.
    Export(EstimateExportArgs),
    /// Estimates a copy to other regions, and the snapshots that stay there.
    Copy(EstimateCopyArgs),
    /// Estimates downloads of files that exist already.
    Download(EstimateDownloadArgs),
}

impl EstimateCommand {
    /// Returns how to answer.
    pub fn answering(&self) -> &AnswerArgs {
        match self {
            Self::Export(args) => &args.answer,
            Self::Copy(args) => &args.answer,
            Self::Download(args) => &args.answer,
        }
    }
}

/// `estimate export`.
#[derive(Debug, Args)]
#[command(after_help = examples::ESTIMATE)]
pub struct EstimateExportArgs {
    /// Cloud: tencent or alibaba.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Cloud,
    /// Price list of the account: cn bills in CNY, intl in USD.
    #[arg(long, value_enum, required_unless_present = "image")]
    pub site: Option<SiteWord>,
    /// Currency that you expect; another one than the site's is refused.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "CODE")]
    pub currency: String,
    /// Region of the image and the bucket.
    #[arg(long)]
    pub region: String,
    /// The image, when a server is to read its disks from the cloud.
    #[command(flatten)]
    pub image: EstimatedImageArgs,
    /// Storage class, such as STANDARD on Tencent or Standard-LRS on Alibaba; default: the standard class.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "CLASS")]
    pub storage_class: String,
    /// File format: raw, vhd, qcow2, vmdk or vdi.
    #[arg(long, default_value = "raw", value_parser = parse::parse_format)]
    pub format: ImageFormat,
    /// Size of a disk in GiB, and after a colon how much of it is in use, such as 50:12; can be repeated.
    #[arg(long = "disk-gib", required_unless_present = "image", value_parser = parse_disk, value_name = "GIB[:USED]", allow_hyphen_values = true)]
    pub disks: Vec<pb::DiskSize>,
    /// How long the files are kept; default: 30 days.
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    pub keep_days: Option<i64>,
    /// The downloads.
    #[command(flatten)]
    pub downloads: DownloadCountArgs,
    /// Size of a file divided by that of its disk, such as 0.6, where it is known.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "RATIO", allow_hyphen_values = true)]
    pub export_ratio: String,
    /// Size of the parts that the exporter writes, in MiB, where it is known.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "MIB")]
    pub write_part_mib: i64,
    /// Counts the published discount on storage instead of the list price.
    #[arg(long)]
    pub discounted: bool,
    /// Free storage that the account has left, in GiB.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "GIB")]
    pub free_storage_gib: i64,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// An image whose disks the server reads from the cloud.
#[derive(Debug, Args)]
pub struct EstimatedImageArgs {
    /// Id of an image in the cloud, instead of --site and --disk-gib: a server reads its disks and knows its prices.
    #[arg(
        long,
        value_name = "IMAGE_ID",
        conflicts_with_all = ["site", "disks", "currency", "compare", "prices", "export_ratio", "write_part_mib",
            "discounted", "free_storage_gib", "free_traffic_gib", "read_part_mib"]
    )]
    pub image: Option<String>,
    /// Account of the image, as the server's configuration names it; default: the cloud's name.
    #[arg(long, requires = "image")]
    pub account: Option<String>,
    /// Leaves the data disks of the image out.
    #[arg(long, requires = "image")]
    pub only_root_disk: bool,
}

/// `estimate copy`.
#[derive(Debug, Args)]
#[command(after_help = examples::ESTIMATE)]
pub struct EstimateCopyArgs {
    /// Vendor and price list.
    #[command(flatten)]
    pub list: ListArgs,
    /// Region of the image.
    #[arg(long)]
    pub region: String,
    /// Region that gets a copy; can be repeated.
    #[arg(long, required = true, value_name = "REGION")]
    pub to: Vec<String>,
    /// The disks.
    #[command(flatten)]
    pub disks: DiskArgs,
    /// How long the copies are kept; default: 30 days. The cloud bills them until they are deleted.
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    pub keep_days: Option<i64>,
    /// Key of the copies.
    #[arg(long, value_enum, value_name = "KEY")]
    pub encrypt: Option<EncryptWord>,
    /// Accounts that the image is shared with.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT")]
    pub share_accounts: i32,
    /// Free snapshot capacity that is left in each region, in GiB.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "GIB")]
    pub free_snapshot_gib: i64,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// `estimate download`.
#[derive(Debug, Args)]
#[command(after_help = examples::ESTIMATE)]
pub struct EstimateDownloadArgs {
    /// Vendor and price list.
    #[command(flatten)]
    pub list: ListArgs,
    /// Region of the bucket.
    #[arg(long)]
    pub region: String,
    /// Storage class of the files; default: the standard class.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "CLASS")]
    pub storage_class: String,
    /// Size of a file in GiB; can be repeated.
    #[arg(long = "object-gib", required = true, value_parser = parse_gib, value_name = "GIB", allow_hyphen_values = true)]
    pub objects: Vec<i64>,
    /// The downloads.
    #[command(flatten)]
    pub downloads: DownloadCountArgs,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// Vendor and price list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Cloud: tencent or alibaba.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Cloud,
    /// Price list of the account: cn bills in CNY, intl in USD.
    #[arg(long, value_enum)]
    pub site: SiteWord,
    /// Currency that you expect; another one than the site's is refused.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "CODE")]
    pub currency: String,
}

/// The disks of an image.
#[derive(Debug, Args)]
pub struct DiskArgs {
    /// Size of a disk in GiB, and after a colon how much of it is in use, such as 50:12; can be repeated.
    #[arg(long = "disk-gib", required = true, value_parser = parse_disk, value_name = "GIB[:USED]", allow_hyphen_values = true)]
    pub disks: Vec<pb::DiskSize>,
}

/// Downloads to count.
#[derive(Debug, Args)]
pub struct DownloadCountArgs {
    /// Complete downloads over the internet; on Alibaba's mainland regions by day.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT", allow_negative_numbers = true)]
    pub public_downloads: i32,
    /// Complete downloads over the internet between 00:00 and 08:00 (UTC+8).
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT", allow_negative_numbers = true)]
    pub off_peak_downloads: i32,
    /// Complete downloads inside the region.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "COUNT", allow_negative_numbers = true)]
    pub private_downloads: i32,
    /// Speed at which files of a cold class are restored.
    #[arg(long, value_enum, default_value_t = SpeedWord::Standard, hide_default_value = true, value_name = "SPEED")]
    pub restore: SpeedWord,
    /// Size of the ranges that are read, in MiB, where it is known.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "MIB")]
    pub read_part_mib: i64,
    /// Free traffic to the internet that the account has left, in GiB.
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "GIB")]
    pub free_traffic_gib: i64,
}

/// How to answer.
#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// Compares every storage class, or every region of the price list.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub compare: Option<Compare>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = EstimateOutput::Table)]
    pub output: EstimateOutput,
    /// Server to ask; without it the estimate is made here, or at http://127.0.0.1:7500 when it is about an image.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Tokens and certificates for that server.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Price file (CSV, columns as in `services/billing/data/prices.csv`) that wins over the built-in prices.
    #[arg(long, value_name = "FILE", conflicts_with = "endpoint")]
    pub prices: Option<PathBuf>,
    /// Leaves the built-in prices out.
    #[arg(long, requires = "prices")]
    pub only_these_prices: bool,
}

/// Price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SiteWord {
    /// The Chinese site.
    Cn,
    /// The international site.
    Intl,
}

/// Key of copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EncryptWord {
    /// The cloud's own key.
    Default,
    /// A key of yours.
    Own,
    /// A user key of Alibaba's legacy KMS.
    Legacy,
}

/// Speed of restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpeedWord {
    /// The fastest.
    Expedited,
    /// The vendor's default.
    Standard,
    /// The cheapest.
    Bulk,
}

/// What to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compare {
    /// Every storage class of the cloud.
    StorageClass,
    /// Every region of the price list; for copies, as the only destination.
    Region,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimateOutput {
    /// For a person.
    Table,
    /// For a program: the messages of the API, field names as in the protos.
    Json,
    /// For a spreadsheet: one row per fee, then the total.
    Csv,
}

impl EstimateExportArgs {
    /// Returns the message of the API.
    pub fn request(&self) -> pb::EstimateExportRequest {
        pb::EstimateExportRequest {
            cloud: image_args::wire_cloud(self.cloud).into(),
            site: self.site.map_or_else(|| pb::Site::Unspecified.into(), wire_site),
            region: self.region.clone(),
            storage_class: self.storage_class.clone(),
            format: image_args::wire_format(self.format).into(),
            disks: self.disks.clone(),
            keep_for: self.keep_days.map(days),
            downloads: Some(self.downloads.message()),
            free: Some(pb::FreeAllowance {
                storage_bytes: gib(self.free_storage_gib),
                public_traffic_bytes: gib(self.downloads.free_traffic_gib),
                ..pb::FreeAllowance::default()
            }),
            overrides: Some(pb::Overrides {
                export_ratio: self.export_ratio.clone(),
                write_part_bytes: mib(self.write_part_mib),
                read_part_bytes: mib(self.downloads.read_part_mib),
                kms_calls_per_disk: None,
            }),
            price_basis: if self.discounted { pb::PriceBasis::Discounted } else { pb::PriceBasis::List }.into(),
            currency: self.currency.clone(),
        }
    }

    /// Returns the question about an image in the cloud; `None` when the disks are given.
    pub fn about_image(&self) -> Option<export_pb::EstimateExportRequest> {
        let EstimatedImageArgs { image, account, only_root_disk } = &self.image;
        Some(export_pb::EstimateExportRequest {
            image: Some(image_pb::ImageReference {
                cloud: image_args::wire_cloud(self.cloud).into(),
                account: account.clone().unwrap_or_else(|| self.cloud.to_string()),
                region: self.region.clone(),
                image_id: image.clone()?,
            }),
            format: image_args::wire_format(self.format).into(),
            only_root_disk: *only_root_disk,
            storage_class: self.storage_class.clone(),
            expected_use: Some(export_pb::ExpectedUse {
                keep_for: self.keep_days.map(days),
                downloads: Some(self.downloads.message()),
            }),
        })
    }
}

impl EstimateCopyArgs {
    /// Returns the message of the API.
    pub fn request(&self) -> pb::EstimateCopyRequest {
        let encryption = match self.encrypt {
            None => pb::Encryption::Unspecified,
            Some(EncryptWord::Default) => pb::Encryption::DefaultKey,
            Some(EncryptWord::Own) => pb::Encryption::OwnKey,
            Some(EncryptWord::Legacy) => pb::Encryption::LegacyKey,
        };
        pb::EstimateCopyRequest {
            cloud: image_args::wire_cloud(self.list.cloud).into(),
            site: self.list.site(),
            source_region: self.region.clone(),
            destination_regions: self.to.clone(),
            disks: self.disks.disks.clone(),
            keep_for: self.keep_days.map(days),
            encryption: encryption.into(),
            share_account_count: self.share_accounts,
            free: Some(pb::FreeAllowance {
                snapshot_bytes: gib(self.free_snapshot_gib),
                ..pb::FreeAllowance::default()
            }),
            overrides: None,
            currency: self.list.currency.clone(),
        }
    }
}

impl EstimateDownloadArgs {
    /// Returns the message of the API.
    pub fn request(&self) -> pb::EstimateDownloadRequest {
        pb::EstimateDownloadRequest {
            cloud: image_args::wire_cloud(self.list.cloud).into(),
            site: self.list.site(),
            region: self.region.clone(),
            storage_class: self.storage_class.clone(),
            object_sizes_bytes: self.objects.clone(),
            downloads: Some(self.downloads.message()),
            free: Some(pb::FreeAllowance {
                public_traffic_bytes: gib(self.downloads.free_traffic_gib),
                ..pb::FreeAllowance::default()
            }),
            overrides: Some(pb::Overrides {
                read_part_bytes: mib(self.downloads.read_part_mib),
                ..pb::Overrides::default()
            }),
            currency: self.list.currency.clone(),
        }
    }
}

impl ListArgs {
    fn site(&self) -> i32 {
        wire_site(self.site)
    }
}

fn wire_site(site: SiteWord) -> i32 {
    match site {
        SiteWord::Cn => pb::Site::Cn,
        SiteWord::Intl => pb::Site::Intl,
    }
    .into()
}

impl DownloadCountArgs {
    fn message(&self) -> pb::Downloads {
        let speed = match self.restore {
            SpeedWord::Expedited => pb::RestoreSpeed::Expedited,
            SpeedWord::Standard => pb::RestoreSpeed::Standard,
            SpeedWord::Bulk => pb::RestoreSpeed::Bulk,
        };
        pb::Downloads {
            public_count: self.public_downloads,
            public_off_peak_count: self.off_peak_downloads,
            private_count: self.private_downloads,
            restore_speed: speed.into(),
            restore_count: 0,
            restored_for: None,
        }
    }
}

// What is too large stays too large, so that the service refuses it with its reason.
fn gib(gib: i64) -> i64 {
    gib.saturating_mul(1 << 30)
}

fn mib(mib: i64) -> i64 {
    mib.saturating_mul(1 << 20)
}

fn days(days: i64) -> prost_types::Duration {
    prost_types::Duration { seconds: days.saturating_mul(86_400), nanos: 0 }
}

/// Reads `50`, `0.5` or `-1` GiB as bytes; a part of a byte counts as one. The service judges the size.
fn parse_gib(text: &str) -> Result<i64, String> {
    const FORM: &str = "a size has the form 50 or 0.5, in GiB";
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(FORM.to_owned());
    }
    let places = u32::try_from(fraction.len()).map_err(|_| FORM.to_owned())?;
    let number = |part: &str| part.parse::<u128>().map_err(|_| FORM.to_owned());
    let bytes = (number(whole)? << 30) + (number(fraction)? << 30).div_ceil(10_u128.pow(places));
    Ok(i64::try_from(bytes).unwrap_or(i64::MAX) * sign)
}

/// Reads `50` or `50:12`.
fn parse_disk(text: &str) -> Result<pb::DiskSize, String> {
    let (capacity, used) = text.split_once(':').map_or((text, None), |(capacity, used)| (capacity, Some(used)));
    Ok(pb::DiskSize { capacity_bytes: parse_gib(capacity)?, used_bytes: used.map(parse_gib).transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_to_the_byte() {
        assert_eq!(parse_gib("50"), Ok(50 << 30));
        assert_eq!(parse_gib("0.5"), Ok(1 << 29));
        assert_eq!(parse_gib("0.000000000931322574"), Ok(1));
        assert_eq!(parse_gib("-1"), Ok(-(1 << 30)));
        assert_eq!(parse_gib("999999999999999999"), Ok(i64::MAX));
        for bad in ["", ".", "1.", ".5", "1e3", "1,5", "5 ", "--5", "9999999999999999999"] {
            assert!(parse_gib(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_disk_may_tell_what_is_in_use() {
        let disk = |capacity, used_bytes| pb::DiskSize { capacity_bytes: capacity, used_bytes };
        assert_eq!(parse_disk("50"), Ok(disk(50 << 30, None)));
        assert_eq!(parse_disk("50:12"), Ok(disk(50 << 30, Some(12 << 30))));
        assert!(parse_disk("50:").is_err());
    }
}
