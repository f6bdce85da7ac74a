//! The options of `doctor`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use sampan_core::{AccountName, Region};

use super::{Output, ServeArgs, examples, parse};

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = examples::DOCTOR)]
pub struct DoctorArgs {
    /// Configuration file (TOML), as `serve` takes it.
    #[arg(long, env = "SAMPAN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Services that the process is to run, as `serve` takes them; the others are looked for at their peers' addresses.
    #[arg(long, value_delimiter = ',', env = "SAMPAN_ROLES", value_name = "ROLES")]
    pub roles: Vec<String>,
    /// Address that the server listens on, as `serve` takes it.
    #[arg(long, env = "SAMPAN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Where operations are kept, as `serve` takes it.
    #[arg(long, env = "SAMPAN_STORE", value_name = "STORE")]
    pub store: Option<String>,
    /// Region in which an account is asked, as ACCOUNT=REGION; default: ap-guangzhou and cn-hangzhou. Can be repeated.
    #[arg(long = "region", value_name = "ACCOUNT=REGION", value_parser = parse::parse_label)]
    pub regions: Vec<(String, String)>,
    /// Bucket to look at, as ACCOUNT/REGION/BUCKET; can be repeated.
    #[arg(long = "bucket", value_name = "ACCOUNT/REGION/BUCKET")]
    pub buckets: Vec<BucketArg>,
    /// How long each check may take.
    #[arg(long, default_value = "20s", value_parser = parse::parse_duration, value_name = "DURATION")]
    pub timeout: Duration,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl DoctorArgs {
    /// Returns what `serve` would be told, to read the same configuration.
    pub fn serving(&self) -> ServeArgs {
        ServeArgs {
            listen: self.listen.clone(),
            config: self.config.clone(),
            roles: self.roles.clone(),
            store: self.store.clone(),
            ..ServeArgs::default()
        }
    }
}

/// A bucket, as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketArg {
    /// The configured account.
    pub account: AccountName,
    /// Region of the bucket.
    pub region: Region,
    /// Name of the bucket.
    pub name: String,
}

impl FromStr for BucketArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split('/').collect();
        let [account, region, name] = parts.as_slice() else {
            return Err("a bucket has the form ACCOUNT/REGION/BUCKET".to_owned());
        };
        Ok(Self {
            account: account.parse().map_err(|error: sampan_core::ids::InvalidId| error.to_string())?,
            region: region.parse().map_err(|error: sampan_core::ids::InvalidId| error.to_string())?,
            name: (*name).to_owned(),
        })
    }
}
