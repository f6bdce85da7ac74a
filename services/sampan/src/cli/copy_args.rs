//! The options that describe a copy, shared by `preview copy` and `copy`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use sampan_core::Cloud;
use sampan_proto::billing::v1::CostLimit;
use sampan_proto::copy::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::quota::v1::WhenQuotaSpent;

use super::image_args::{wire_cloud, wire_duration};
use super::{ClientArgs, examples, parse};

/// `preview copy`.
#[derive(Debug, Args)]
#[command(after_help = examples::PREVIEW_COPY)]
pub struct PreviewCopyCommand {
    /// The copy.
    #[command(flatten)]
    pub copy: CopyArgs,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// `copy`.
#[derive(Debug, Args)]
#[command(after_help = examples::COPY)]
pub struct CopyCommand {
    /// The copy.
    #[command(flatten)]
    pub copy: CopyArgs,
    /// Prints the name of the operation and ends, instead of waiting.
    #[arg(long)]
    pub detach: bool,
    /// UUID that makes the start idempotent; a repeat with the same id starts nothing new.
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<String>,
    /// Label for the operation, as KEY=VALUE; can be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse::parse_label)]
    pub labels: Vec<(String, String)>,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// How the content travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Route {
    /// One copy of the image.
    Image,
    /// A copy of each snapshot, then a new image made from these (Alibaba only).
    Snapshots,
}

/// A copy, as the command line describes it.
#[derive(Debug, Clone, Args)]
pub struct CopyArgs {
    /// Cloud of the image: tencent or alibaba.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Cloud,
    /// Account as the server's configuration names it; default: the cloud's name.
    #[arg(long)]
    pub account: Option<String>,
    /// Region of the image, such as ap-guangzhou or cn-hangzhou.
    #[arg(long)]
    pub region: String,
    /// Id of the image.
    #[arg(long, value_name = "IMAGE_ID")]
    pub image: String,
    /// Region to copy to; can be repeated or hold several, separated by commas.
    #[arg(long, required = true, value_delimiter = ',', value_name = "REGION")]
    pub to: Vec<String>,
    /// Name of the copies; default: that of the image.
    #[arg(long)]
    pub name: Option<String>,
    /// Name of the copy in one region, as REGION=NAME; can be repeated (Alibaba only).
    #[arg(long = "name-in", value_name = "REGION=NAME", value_parser = parse::parse_label)]
    pub names: Vec<(String, String)>,
    /// Description of the copies (Alibaba only).
    #[arg(long)]
    pub description: Option<String>,
    /// Encrypts the copies.
    #[arg(long)]
    pub encrypt: bool,
    /// Key of the cloud's key service for the encryption; default: the cloud's own key.
    #[arg(long, value_name = "KEY_ID", requires = "encrypt")]
    pub kms_key: Option<String>,
    /// Key of one region, as REGION=KEY; can be repeated.
    #[arg(long = "kms-key-in", value_name = "REGION=KEY_ID", value_parser = parse::parse_label, requires = "encrypt")]
    pub kms_keys: Vec<(String, String)>,
    /// Resource group of the copies (Alibaba only).
    #[arg(long, value_name = "ID")]
    pub resource_group: Option<String>,
    /// Tag of the copies, as KEY=VALUE; can be repeated (Alibaba only).
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse::parse_label)]
    pub tags: Vec<(String, String)>,
    /// Number of a root account at the cloud that each usable copy is shared with; can be repeated or hold several.
    #[arg(long, value_delimiter = ',', value_name = "ACCOUNT_ID")]
    pub share_with: Vec<String>,
    /// Removes every copy when one fails, instead of keeping the good ones.
    #[arg(long)]
    pub all_or_nothing: bool,
    /// How the content travels; default: by the size of the image.
    #[arg(long, value_enum)]
    pub route: Option<Route>,
    /// Waits in the queue when the day's quota is spent, instead of being refused.
    #[arg(long)]
    pub queue: bool,
    /// How long to wait for the cloud, such as 12h; default: by the size of the image.
    #[arg(long, value_parser = parse::parse_duration, value_name = "DURATION")]
    pub deadline: Option<Duration>,
    /// Silence of the cloud that rings the stall alarm, such as 1h; default: by the size of the image.
    #[arg(long, value_parser = parse::parse_duration, value_name = "DURATION")]
    pub stall_after: Option<Duration>,
    /// The most that it may cost, such as 25 or 25USD; a start that may cost more is refused.
    #[arg(long, value_parser = parse::parse_cost, value_name = "COST")]
    pub max_cost: Option<CostLimit>,
    /// How long the copies are kept, for the price; default: 30d.
    #[arg(long, value_parser = parse::parse_duration, value_name = "DURATION")]
    pub keep_for: Option<Duration>,
}

impl CopyArgs {
    /// Returns the message of the API.
    pub fn spec(&self) -> pb::CopySpec {
        let policy = if self.all_or_nothing { pb::FailurePolicy::AllOrNothing } else { pb::FailurePolicy::BestEffort };
        let route = match self.route {
            None => pb::CopyRoute::Unspecified,
            Some(Route::Image) => pb::CopyRoute::Image,
            Some(Route::Snapshots) => pb::CopyRoute::Snapshots,
        };
        let key = || self.kms_key.clone().unwrap_or_default();
        pb::CopySpec {
            image: Some(image_pb::ImageReference {
                cloud: wire_cloud(self.cloud) as i32,
                account: self.account.clone().unwrap_or_else(|| self.cloud.to_string()),
                region: self.region.clone(),
                image_id: self.image.clone(),
            }),
            destinations: self.destinations(),
            image_name: self.name.clone().unwrap_or_default(),
            description: self.description.clone().unwrap_or_default(),
            encryption: self.encrypt.then(|| pb::CopyEncryption { kms_key_id: key() }),
            resource_group_id: self.resource_group.clone().unwrap_or_default(),
            tags: self.tags.iter().cloned().collect(),
            share_with: self.share_with.clone(),
            failure_policy: policy.into(),
            route: route.into(),
            when_quota_spent: if self.queue { WhenQuotaSpent::Queue } else { WhenQuotaSpent::Fail } as i32,
            deadline: self.deadline.map(wire_duration),
            stall_after: self.stall_after.map(wire_duration),
            max_cost: self.max_cost.clone(),
            keep_for: self.keep_for.map(wire_duration),
        }
    }

    fn destinations(&self) -> Vec<pb::Destination> {
        let own = |pairs: &[(String, String)], region: &String| {
            pairs.iter().find(|(of, _)| of == region).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let destination = |region: &String| pb::Destination {
            region: region.clone(),
            image_name: own(&self.names, region),
            kms_key_id: own(&self.kms_keys, region),
        };
        self.to.iter().map(destination).collect()
    }
}
