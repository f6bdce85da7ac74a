//! Replies: what a cloud answers becomes a neutral value or a classified error.
//!
//! The first byte chooses the question; then come the answers ([`scene::script`]).

use std::time::Duration;

use sampan_cloud::bucket::{BucketRef, Object};
use sampan_cloud::copy::{CopiedImage, CopyCall, CreateImageCall, DiskFromSnapshot, Snapshot, SnapshotCopyCall};
use sampan_cloud::image::{ExportCall, ExportSearch, ExportTask};
use sampan_cloud::share::{Share, ShareCall};
use sampan_cloud::stack::Transport;
use sampan_cloud::{CallError, Clients};
use sampan_cloud_alibaba::{AlibabaCloud, AlibabaConfig};
use sampan_cloud_tencent::credentials::{CredentialSource, Role};
use sampan_cloud_tencent::{TencentCloud, TencentConfig};
use sampan_core::{ImageFormat, ImageId, Region};

use crate::scene::{self, must};

/// Longest pages that a vendor gives, times the requests that one question may take.
const MOST_ROWS: usize = 1_000_000;

fn tencent(transport: Transport) -> Clients {
    let keys = CredentialSource::Static {
        secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE".into(),
        secret_key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into(),
        token: None,
    };
    TencentCloud::open(TencentConfig { transport, ..scene::tencent(keys) })
}

fn alibaba(transport: Transport) -> Clients {
    let config = scene::alibaba(scene::alibaba_keys());
    must(AlibabaCloud::open(AlibabaConfig { transport, trial_runs: true, ..config }))
}

/// Returns whether a value came; an error says what it is about, and repeats no more of a body than it must.
fn is_read<T>(answer: Result<T, CallError>, check: impl FnOnce(T)) -> bool {
    match answer {
        Ok(value) => {
            check(value);
            true
        }
        Err(error) => {
            assert!(error.to_string().len() <= 8_192, "an error of {} bytes", error.to_string().len());
            false
        }
    }
}

fn task(task: &ExportTask) {
    assert!(task.percent.is_none_or(|percent| percent <= 100), "{task:?}");
    assert!(task.objects.iter().all(|key| !key.starts_with('/')), "{task:?}");
}

fn copied(copied: &CopiedImage) {
    assert!(copied.percent.is_none_or(|percent| percent <= 100), "{copied:?}");
}

fn snapshot(snapshot: &Snapshot) {
    assert!(snapshot.percent.is_none_or(|percent| percent <= 100), "{snapshot:?}");
}

fn object(object: &Object) {
    assert!(!object.etag.starts_with('"'), "{object:?}");
}

fn shares(shares: &[Share]) {
    assert!(shares.len() <= MOST_ROWS);
    let is_twice = |pair: &[Share]| pair.first().map(|one| &one.account_id) == pair.last().map(|one| &one.account_id);
    assert!(!shares.windows(2).any(is_twice), "an account stands twice");
}

struct Names {
    region: Region,
    image: ImageId,
}

impl Names {
    fn export(&self) -> ExportCall {
        ExportCall {
            region: self.region.clone(),
            image: self.image.clone(),
            bucket: "images-1250000000".to_owned(),
            prefix: Some("nightly".to_owned()),
            format: ImageFormat::Raw,
            root_disk_only: false,
            role_name: None,
        }
    }

    fn copy(&self) -> CopyCall {
        CopyCall {
            source: self.region.clone(),
            image: self.image.clone(),
            destinations: vec![self.region.clone()],
            name: Some("copy".to_owned()),
            description: None,
            encryption: None,
            resource_group_id: None,
            tags: [].into(),
            token: None,
        }
    }
}

fn ask_images(clients: &Clients, choice: u8, names: &Names) -> bool {
    let Names { region, image } = names;
    let ids = [image.clone(), must("img-other001".parse())];
    let Clients { images, copies, shares: sharing, .. } = clients;
    scene::without_waiting(async {
        match choice % 18 {
            0 => is_read(images.describe_image(region, image).await, drop),
            1 => is_read(images.image_quota(region).await, drop),
            2 => is_read(images.check_export(&names.export()).await, drop),
            3 => is_read(images.start_export(&names.export()).await, |started| {
                assert!(started.objects.iter().all(|key| !key.starts_with('/')), "{started:?}");
            }),
            4 => is_read(images.find_export(&names.export(), scene::now()).await, |found| match found {
                ExportSearch::Tasks(tasks) => tasks.iter().for_each(task),
                ExportSearch::Busy | ExportSearch::Idle => {}
            }),
            5 => {
                let tasks = ["t-1".to_owned(), "t-2".to_owned()];
                is_read(images.export_tasks(region, &tasks).await, |found| {
                    assert_eq!(found.len(), tasks.len());
                    found.iter().flatten().for_each(task);
                })
            }
            6 => is_read(images.cancel_export(region, "t-1").await, drop),
            7 => is_read(copies.check_copy(&names.copy()).await, drop),
            8 => is_read(copies.start_copy(&names.copy()).await, drop),
            9 => is_read(copies.copied_images(region, &ids).await, |found| {
                assert_eq!(found.len(), ids.len());
                found.iter().flatten().for_each(copied);
            }),
            10 => is_read(copies.images_named(region, "copy").await, |found| found.iter().for_each(copied)),
            11 => is_read(copies.count_images(region).await, drop),
            12 => is_read(copies.regions().await, drop),
            13 => is_read(copies.snapshots(region, &["snap-1".to_owned()]).await, |found| {
                assert_eq!(found.len(), 1);
                found.iter().flatten().for_each(snapshot);
            }),
            14 => is_read(copies.snapshots_named(region, "copy").await, |found| found.iter().for_each(snapshot)),
            15 => is_read(sharing.shares(region, image).await, |found| shares(&found)),
            16 => {
                let call = ShareCall { add: vec!["100012345678".to_owned()], remove: Vec::new() };
                is_read(sharing.change_shares(region, image, &call).await, drop)
            }
            _ => ask_changes(clients, names).await,
        }
    })
}

/// Changes that only one vendor has; the other answers without a call.
async fn ask_changes(Clients { copies, .. }: &Clients, Names { region, image }: &Names) -> bool {
    let snapshot = SnapshotCopyCall {
        source: region.clone(),
        snapshot_id: "s-1".to_owned(),
        destination: region.clone(),
        name: "copy".to_owned(),
        description: String::new(),
        encryption: None,
        resource_group_id: None,
        tags: [].into(),
        token: None,
    };
    let made = CreateImageCall {
        region: region.clone(),
        name: "copy".to_owned(),
        description: None,
        platform: "Others Linux".to_owned(),
        architecture: "x86_64".to_owned(),
        boot_mode: None,
        disks: vec![DiskFromSnapshot { device: None, snapshot_id: "s-1".to_owned(), size_gib: 20 }],
        resource_group_id: None,
        tags: [].into(),
        token: None,
    };
    let outcomes = [
        is_read(copies.cancel_copy(region, image).await, drop),
        is_read(copies.delete_image(region, image, true).await, drop),
        is_read(copies.delete_snapshot(region, "s-1").await, drop),
        is_read(copies.copy_snapshot(&snapshot).await, drop),
        is_read(copies.create_image(&made).await, drop),
    ];
    outcomes.contains(&true)
}

fn ask_bucket(Clients { buckets, .. }: &Clients, choice: u8, region: &Region) -> bool {
    let bucket = BucketRef { name: "images-1250000000".to_owned(), region: region.clone() };
    scene::without_waiting(async {
        match choice % 5 {
            0 => is_read(buckets.head_bucket(&bucket).await, drop),
            1 => is_read(buckets.head_object(&bucket, "nightly_img-1_xvda.raw").await, |found| {
                found.iter().for_each(object);
            }),
            2 => is_read(buckets.list_objects(&bucket, "nightly", None).await, |page| {
                assert!(page.objects.iter().all(|object| object.crc64.is_none()));
                page.objects.iter().for_each(object);
            }),
            3 => is_read(buckets.delete_object(&bucket, "nightly_img-1_xvda.raw").await, drop),
            _ => is_read(buckets.list_objects(&bucket, "", Some("%2Fb c")).await, drop),
        }
    })
}

pub(crate) fn tencent_api(data: &[u8]) -> bool {
    let Some((choice, answers)) = data.split_first() else { return false };
    let names = Names { region: must("ap-guangzhou".parse()), image: must("img-72n9mi0y".parse()) };
    ask_images(&tencent(scene::script(answers)), *choice, &names)
}

pub(crate) fn alibaba_ecs(data: &[u8]) -> bool {
    let Some((choice, answers)) = data.split_first() else { return false };
    let names = Names { region: must("cn-hangzhou".parse()), image: must("m-bp67acfmxazb4p0001".parse()) };
    ask_images(&alibaba(scene::script(answers)), *choice, &names)
}

pub(crate) fn tencent_cos(data: &[u8]) -> bool {
    let Some((choice, answers)) = data.split_first() else { return false };
    ask_bucket(&tencent(scene::script(answers)), *choice, &must("ap-guangzhou".parse()))
}

pub(crate) fn alibaba_oss(data: &[u8]) -> bool {
    let Some((choice, answers)) = data.split_first() else { return false };
    ask_bucket(&alibaba(scene::script(answers)), *choice, &must("cn-hangzhou".parse()))
}

/// Presigning makes no call, but needs credentials: whoever reads those, is read here alone.
fn signs(clients: &Clients, region: &str) -> bool {
    let bucket = BucketRef { name: "images-1250000000".to_owned(), region: must(region.parse()) };
    let signing = clients.buckets.presign_get(&bucket, "nightly.raw", Duration::from_secs(60));
    is_read(scene::without_waiting(signing), |link| assert!(link.url.starts_with("https://"), "{link:?}"))
}

pub(crate) fn tencent_credentials(data: &[u8]) -> bool {
    let Some((choice, answers)) = data.split_first() else { return false };
    let keys = CredentialSource::Static { secret_id: "AKID".into(), secret_key: "key".into(), token: None };
    let source = match choice % 3 {
        0 => CredentialSource::CvmRole { role: None },
        1 => CredentialSource::CvmRole { role: Some("exporter".to_owned()) },
        _ => CredentialSource::AssumeRole {
            base: Box::new(keys),
            role: Role::new("qcs::cam::uin/100000000001:roleName/exporter"),
        },
    };
    let config = TencentConfig { transport: scene::script(answers), ..scene::tencent(source) };
    signs(&TencentCloud::open(config), "ap-guangzhou")
}

pub(crate) fn alibaba_credentials(data: &[u8]) -> bool {
    use sampan_cloud_alibaba::CredentialSource as Source;
    let Some((choice, answers)) = data.split_first() else { return false };
    let source = match choice % 3 {
        0 => Source::EcsRamRole { role: None },
        1 => Source::EcsRamRole { role: Some("exporter".to_owned()) },
        _ => Source::Uri("http://credentials.localhost/keys".to_owned()),
    };
    let config = AlibabaConfig { transport: scene::script(answers), ..scene::alibaba(source) };
    signs(&must(AlibabaCloud::open(config)), "cn-hangzhou")
}
