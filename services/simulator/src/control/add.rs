//! Decides how accounts, images, buckets and limits are written in control requests.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use sampan_core::{Cloud, DiskRole};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::problem::{Problem, read};
use crate::world::{ImageState, KmsKey, Limits, NewAccount, NewBucket, NewDisk, NewImage, Origin, World};

type Added = Result<(StatusCode, Json<Value>), Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountBody {
    cloud: Cloud,
    account: String,
    app_id: Option<String>,
    secret_id: String,
    secret_key: String,
    token: Option<String>,
    export_roles: Option<Vec<String>>,
    kms_keys: Option<Vec<KmsKey>>,
    resource_groups: Option<Vec<String>>,
    #[serde(default)]
    sub_accounts: Vec<String>,
    #[serde(default)]
    limits: LimitsPatch,
}

/// Limits to change; what is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsPatch {
    #[serde(default, deserialize_with = "present")]
    daily_operations: Option<Option<u32>>,
    running_exports: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    system_disk_gib: Option<Option<u64>>,
    data_disk_gib: Option<u64>,
    data_disks: Option<u32>,
    images_per_region: Option<u32>,
    export_enabled: Option<bool>,
    running_copies: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    copy_image_gib: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    copy_regions: Option<Option<Vec<String>>>,
    data_disk_images: Option<bool>,
    cancel_copies: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    snapshots_per_region: Option<Option<u32>>,
    share_accounts: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    shared_images: Option<Option<u32>>,
    encrypted_shares: Option<bool>,
    kms_enabled: Option<bool>,
    dry_run_is_error: Option<bool>,
}

/// Tells `null`, which lifts a limit, from an absent field, which leaves it.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl LimitsPatch {
    fn over(self, limits: Limits) -> Limits {
        Limits {
            daily_operations: self.daily_operations.unwrap_or(limits.daily_operations),
            running_exports: self.running_exports.unwrap_or(limits.running_exports),
            system_disk_gib: self.system_disk_gib.unwrap_or(limits.system_disk_gib),
            data_disk_gib: self.data_disk_gib.unwrap_or(limits.data_disk_gib),
            data_disks: self.data_disks.unwrap_or(limits.data_disks),
            images_per_region: self.images_per_region.unwrap_or(limits.images_per_region),
            export_enabled: self.export_enabled.unwrap_or(limits.export_enabled),
            running_copies: self.running_copies.unwrap_or(limits.running_copies),
            copy_image_gib: self.copy_image_gib.unwrap_or(limits.copy_image_gib),
            copy_regions: self.copy_regions.unwrap_or(limits.copy_regions),
            data_disk_images: self.data_disk_images.unwrap_or(limits.data_disk_images),
            cancel_copies: self.cancel_copies.unwrap_or(limits.cancel_copies),
            snapshots_per_region: self.snapshots_per_region.unwrap_or(limits.snapshots_per_region),
            share_accounts: self.share_accounts.unwrap_or(limits.share_accounts),
            shared_images: self.shared_images.unwrap_or(limits.shared_images),
            encrypted_shares: self.encrypted_shares.unwrap_or(limits.encrypted_shares),
            kms_enabled: self.kms_enabled.unwrap_or(limits.kms_enabled),
            dry_run_is_error: self.dry_run_is_error.unwrap_or(limits.dry_run_is_error),
        }
    }
}

pub(super) async fn account(State(world): State<Arc<World>>, body: Bytes) -> Added {
    let body: AccountBody = read(&body)?;
    match (body.cloud, &body.app_id) {
        (Cloud::Tencent, None) => return Err(Problem::bad("app_id: is needed on tencent")),
        (Cloud::Alibaba, Some(_)) => return Err(Problem::bad("app_id: is for tencent alone")),
        _ => {}
    }
    let added = world.add_account(NewAccount {
        cloud: body.cloud,
        id: body.account,
        app_id: body.app_id,
        secret_id: body.secret_id,
        secret_key: body.secret_key,
        token: body.token,
        export_roles: body.export_roles,
        kms_keys: body.kms_keys,
        resource_groups: body.resource_groups,
        sub_accounts: body.sub_accounts,
        limits: Some(body.limits.over(Limits::of(body.cloud))),
    })?;
    Ok((StatusCode::CREATED, Json(json!(added))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    cloud: Cloud,
    account: String,
    limits: LimitsPatch,
}

pub(super) async fn limits(State(world): State<Arc<World>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let body: LimitsBody = read(&body)?;
    let account = world
        .account(body.cloud, &body.account)
        .ok_or_else(|| Problem::bad(format!("{} has no account {}", body.cloud, body.account)))?;
    let limits = body.limits.over(account.limits);
    world.set_limits(body.cloud, &body.account, limits.clone())?;
    Ok(Json(json!(limits)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageBody {
    cloud: Cloud,
    account: String,
    owner: Option<String>,
    region: String,
    id: Option<String>,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "ubuntu")]
    platform: String,
    os_name: Option<String>,
    #[serde(default = "custom")]
    origin: Origin,
    #[serde(default)]
    encrypted: bool,
    #[serde(default = "ready")]
    state: ImageState,
    disks: Vec<DiskBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskBody {
    role: DiskRole,
    device: Option<String>,
    size_gib: Option<u64>,
    file: Option<PathBuf>,
}

fn ubuntu() -> String {
    "Ubuntu".to_owned()
}

fn custom() -> Origin {
    Origin::Custom
}

fn ready() -> ImageState {
    ImageState::Ready
}

pub(super) async fn image(State(world): State<Arc<World>>, body: Bytes) -> Added {
    let body: ImageBody = read(&body)?;
    let disk =
        |disk: DiskBody| NewDisk { role: disk.role, device: disk.device, size_gib: disk.size_gib, file: disk.file };
    let new = NewImage {
        cloud: body.cloud,
        account: body.account,
        owner: body.owner,
        region: body.region,
        id: body.id,
        name: body.name,
        description: body.description,
        platform: body.platform,
        os_name: body.os_name,
        origin: body.origin,
        encrypted: body.encrypted,
        state: body.state,
        disks: body.disks.into_iter().map(disk).collect(),
    };
    // The files of the disks are read once: off the runtime's threads.
    let adding = tokio::task::spawn_blocking(move || world.add_image(new)).await;
    let added = adding.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok((StatusCode::CREATED, Json(json!(added))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketBody {
    cloud: Cloud,
    account: String,
    region: String,
    name: String,
    #[serde(default = "yes")]
    writable: bool,
    #[serde(default)]
    encrypted: bool,
    storage_class: Option<String>,
}

fn yes() -> bool {
    true
}

pub(super) async fn bucket(State(world): State<Arc<World>>, body: Bytes) -> Added {
    let body: BucketBody = read(&body)?;
    let added = world.add_bucket(NewBucket {
        cloud: body.cloud,
        account: body.account,
        region: body.region,
        name: body.name,
        writable: body.writable,
        encrypted: body.encrypted,
        storage_class: body.storage_class,
    })?;
    Ok((StatusCode::CREATED, Json(json!(added))))
}
