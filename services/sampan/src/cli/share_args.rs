//! The options that describe a change of shares, shared by `preview share` and `share`.

use clap::{Args, Subcommand, ValueEnum};
use sampan_core::Cloud;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_proto::share::v1 as pb;

use super::image_args::wire_cloud;
use super::{ClientArgs, examples, parse};

/// `preview share`.
#[derive(Debug, Args)]
#[command(after_help = examples::PREVIEW_SHARE)]
pub struct PreviewShareCommand {
    /// What would be done with the accounts.
    #[arg(long, value_enum, default_value_t = Change::Add)]
    pub change: Change,
    /// The change.
    #[command(flatten)]
    pub share: ShareArgs,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// What is done with the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Change {
    /// Shares the image with them.
    Add,
    /// Takes it back from them.
    Remove,
    /// Makes the list exactly these.
    Set,
}

impl Change {
    /// Returns the value of the API.
    pub fn wire(self) -> pb::ShareChange {
        match self {
            Self::Add => pb::ShareChange::Add,
            Self::Remove => pb::ShareChange::Remove,
            Self::Set => pb::ShareChange::Set,
        }
    }
}

/// `share`.
#[derive(Debug, Subcommand)]
#[command(after_help = examples::SHARE)]
pub enum ShareCommand {
    /// Shares an image with further accounts.
    Add(ChangeCommand),
    /// Takes an image back from accounts.
    Remove(ChangeCommand),
    /// Makes the list of accounts exactly as given.
    Set(ChangeCommand),
    /// Lists the accounts that an image is shared with now.
    List(SharesCommand),
}

impl ShareCommand {
    /// Returns the server and the form of the output.
    pub fn client(&self) -> &ClientArgs {
        match self {
            Self::Add(command) | Self::Remove(command) | Self::Set(command) => &command.client,
            Self::List(command) => &command.client,
        }
    }
}

/// `share add`, `share remove`, `share set`.
#[derive(Debug, Args)]
pub struct ChangeCommand {
    /// The change.
    #[command(flatten)]
    pub share: ShareArgs,
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

/// `share list`.
#[derive(Debug, Args)]
pub struct SharesCommand {
    /// The image.
    #[command(flatten)]
    pub image: SharedImageArgs,
    /// Server and output.
    #[command(flatten)]
    pub client: ClientArgs,
}

/// An image, as the command line names it.
#[derive(Debug, Clone, Args)]
pub struct SharedImageArgs {
    /// Cloud of the image: tencent or alibaba.
    #[arg(long, value_parser = parse::parse_cloud, value_name = "CLOUD")]
    pub cloud: Cloud,
    /// Account as the server's configuration names it; default: the cloud's name.
    #[arg(long)]
    pub account: Option<String>,
    /// Region of the image, such as ap-guangzhou or cn-hangzhou; receivers find it there only.
    #[arg(long)]
    pub region: String,
    /// Id of the image.
    #[arg(long, value_name = "IMAGE_ID")]
    pub image: String,
}

impl SharedImageArgs {
    /// Returns the message of the API.
    pub fn reference(&self) -> image_pb::ImageReference {
        image_pb::ImageReference {
            cloud: wire_cloud(self.cloud) as i32,
            account: self.account.clone().unwrap_or_else(|| self.cloud.to_string()),
            region: self.region.clone(),
            image_id: self.image.clone(),
        }
    }
}

/// A change of shares, as the command line describes it.
#[derive(Debug, Clone, Args)]
pub struct ShareArgs {
    /// The image.
    #[command(flatten)]
    pub image: SharedImageArgs,
    /// Number of a root account at the cloud; can be repeated or hold several, separated by commas.
    #[arg(long, visible_aliases = ["to", "from"], value_delimiter = ',', value_name = "ACCOUNT_ID",
        required_unless_present = "nobody")]
    pub with: Vec<String>,
    /// With set: takes the image back from everybody.
    #[arg(long, conflicts_with = "with")]
    pub nobody: bool,
    /// Does the same for the copies that earlier operations made, each in its own region.
    #[arg(long)]
    pub include_copies: bool,
    /// Waits in the queue when the day's quota is spent, instead of being refused.
    #[arg(long)]
    pub queue: bool,
}

impl ShareArgs {
    /// Returns the message of the API.
    pub fn spec(&self) -> pb::ShareSpec {
        pb::ShareSpec {
            image: Some(self.image.reference()),
            account_ids: self.with.clone(),
            include_copies: self.include_copies,
            when_quota_spent: if self.queue { WhenQuotaSpent::Queue } else { WhenQuotaSpent::Fail } as i32,
        }
    }
}
