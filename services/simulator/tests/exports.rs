//! What the simulated clouds accept, refuse, spend and write when an image is exported.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use sampan_core::clock::ManualClock;
use sampan_core::{Cloud, DiskRole, ImageFormat};
use sampan_simulator::content::disk_file;
use sampan_simulator::world::{
    Accepted, ExportItem, ExportRefusal, ExportRequest, Fault, FaultKind, ImageState, Limits, NewDisk, NewImage,
    Origin, Pace, Packaging, Task, TaskStatus, Verdict, World,
};

struct Clouds {
    world: World,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

fn clouds() -> Clouds {
    let clock = Arc::new(ManualClock::new("2026-11-21T04:00:00Z".parse().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(Arc::clone(&clock) as _, Pace::default(), folder.path().to_owned());
    Clouds { world, clock, folder }
}

impl Clouds {
    fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }
}

fn tencent(image: &str) -> ExportRequest {
    ExportRequest {
        cloud: Cloud::Tencent,
        account: "100000000001".to_owned(),
        region: "ap-guangzhou".to_owned(),
        action: "ExportImages",
        items: vec![ExportItem { image_id: image.to_owned(), prefix: "p".to_owned() }],
        bucket: "sampan-guangzhou-1250000000".to_owned(),
        role: "CVM_QcsRole".to_owned(),
        format: ImageFormat::Raw,
        packaging: Packaging::Plain,
        root_disk_only: false,
        dry_run: false,
        name_object: |naming| format!("{}_{}_{}.raw", naming.prefix, naming.image.id, naming.disk.device_name()),
    }
}

fn alibaba(image: &str) -> ExportRequest {
    ExportRequest {
        cloud: Cloud::Alibaba,
        account: "1000000000000001".to_owned(),
        region: "cn-hangzhou".to_owned(),
        action: "ExportImage",
        items: vec![ExportItem { image_id: image.to_owned(), prefix: "p".to_owned() }],
        bucket: "sampan-hangzhou".to_owned(),
        role: "AliyunECSImageExportDefaultRole".to_owned(),
        packaging: Packaging::TarGz,
        name_object: |naming| format!("{}_{}_{}.raw.tar.gz", naming.prefix, naming.image.id, naming.disk.device_name()),
        ..tencent(image)
    }
}

fn start(world: &World, request: &ExportRequest) -> Task {
    match world.export(request).unwrap() {
        Accepted::Started(task) => *task,
        Accepted::Checked { .. } => panic!("nothing was started"),
    }
}

fn now(world: &World, task: &Task) -> Task {
    world.task(task.cloud, &task.account, &task.region, &task.id).unwrap()
}

#[test]
fn the_sixth_operation_of_a_day_is_refused_until_midnight_in_china() {
    let Clouds { world, clock, .. } = &clouds();
    for _ in 0..5 {
        start(world, &tencent("img-ubuntu01"));
        clock.advance(jiff::SignedDuration::from_secs(60));
    }
    let refusal = world.export(&tencent("img-ubuntu01")).unwrap_err();
    assert_eq!(refusal, ExportRefusal::DailyOperationsUsedUp { limit: 5, day: "2026-11-21".to_owned() });
    // 04:05 UTC is 12:05 in China.
    world.jump(Duration::from_secs(12 * 3600 - 6 * 60));
    assert!(world.export(&tencent("img-ubuntu01")).is_err(), "a minute before midnight");
    world.jump(Duration::from_secs(60));
    start(world, &tencent("img-ubuntu01"));
    assert_eq!(world.used_operations(Cloud::Tencent, "100000000001", "ap-guangzhou"), 1);
}

#[test]
fn a_dry_run_and_a_refusal_spend_nothing_and_start_nothing() {
    let Clouds { world, .. } = &clouds();
    let checked = world.export(&ExportRequest { dry_run: true, ..tencent("img-ubuntu01") }).unwrap();
    assert!(matches!(checked, Accepted::Checked { keys } if keys == ["p_img-ubuntu01_xvda.raw"]));
    world.export(&tencent("img-windows1")).unwrap_err();
    assert_eq!(world.used_operations(Cloud::Tencent, "100000000001", "ap-guangzhou"), 0);
    assert!(world.all_tasks().is_empty());
}

#[test]
fn regions_and_accounts_have_days_of_their_own_and_alibaba_has_none() {
    let Clouds { world, .. } = &clouds();
    world.spend_in_console(Cloud::Tencent, "100000000001", "ap-shanghai", 5);
    world.spend_in_console(Cloud::Tencent, "100000000002", "ap-guangzhou", 5);
    world.spend_in_console(Cloud::Alibaba, "1000000000000001", "cn-hangzhou", 50);
    start(world, &tencent("img-ubuntu01"));
    start(world, &alibaba("m-bp1sampanubuntu00001"));
    world.spend_in_console(Cloud::Tencent, "100000000001", "ap-guangzhou", 4);
    let refused = world.export(&tencent("img-debian01"));
    assert!(matches!(refused, Err(ExportRefusal::DailyOperationsUsedUp { .. })));
}

#[test]
fn every_unfit_image_and_bucket_is_refused_for_its_own_reason() {
    let Clouds { world, .. } = &clouds();
    for request in [tencent, alibaba] {
        let image = |word: &str| match request("").cloud {
            Cloud::Tencent => format!("img-{word}{:0width$}", 1, width = 8 - word.len()),
            Cloud::Alibaba => format!("m-bp1sampan{word}{:0width$}", 1, width = 11 - word.len()),
        };
        let of = |word: &str| world.export(&request(&image(word))).unwrap_err();
        assert!(matches!(of("nowhere"), ExportRefusal::ImageNotFound { .. }));
        assert!(matches!(of("second"), ExportRefusal::ImageNotFound { .. }));
        assert!(matches!(of("windows"), ExportRefusal::Windows { .. }));
        assert!(matches!(of("crypted"), ExportRefusal::Encrypted { .. }));
        assert!(matches!(of("creatng"), ExportRefusal::NotReady { .. }));
        assert!(matches!(of("biggest"), ExportRefusal::DiskTooLarge { size_gib: 600, limit_gib: 500, .. }));
        assert!(matches!(of("sixdata"), ExportRefusal::TooManyDataDisks { count: 6, .. }));
        for (word, origin) in [("market", Origin::Marketplace), ("shared", Origin::Shared), ("public", Origin::Public)]
        {
            assert!(matches!(of(word), ExportRefusal::Origin { origin: found, .. } if found == origin), "{word}");
        }
        let suffix = if request("").cloud == Cloud::Tencent { "-1250000000" } else { "" };
        let into = |word: &str| {
            let bucket = format!("sampan-{word}{suffix}");
            world.export(&ExportRequest { bucket, ..request(&image("ubuntu")) }).unwrap_err()
        };
        assert!(matches!(into("nowhere"), ExportRefusal::BucketAbsent { .. }));
        assert!(matches!(into("shanghai"), ExportRefusal::BucketElsewhere { .. }));
        assert!(matches!(into("readonly"), ExportRefusal::BucketNotWritable { .. }));
        let role = ExportRequest { role: "Nobody".to_owned(), ..request(&image("ubuntu")) };
        assert!(matches!(world.export(&role), Err(ExportRefusal::RoleMissing { .. })));
    }
    assert!(matches!(world.export(&tencent("img-redhat01")), Err(ExportRefusal::RedHat { .. })));
    start(world, &alibaba("m-bp1sampanredhat00001"));
    let encrypted = ExportRequest { bucket: "sampan-encrypted".to_owned(), ..alibaba("m-bp1sampanubuntu00001") };
    assert!(matches!(world.export(&encrypted), Err(ExportRefusal::BucketEncrypted { .. })));
    let foreign = ExportRequest { bucket: "sampan-other".to_owned(), ..alibaba("m-bp1sampanubuntu00001") };
    assert!(matches!(world.export(&foreign), Err(ExportRefusal::BucketForeign { .. })));
    let vhd = ExportRequest { format: ImageFormat::Vhd, ..alibaba("m-bp1sampanubuntu00001") };
    assert!(matches!(world.export(&vhd), Err(ExportRefusal::FormatNotInRegion { .. })));
    let root_only = ExportRequest { root_disk_only: true, ..tencent("img-sixdata1") };
    start(world, &root_only);
}

#[test]
fn one_image_is_exported_once_at_a_time_and_a_region_has_so_many_exports() {
    let clouds = clouds();
    let world = &clouds.world;
    start(world, &tencent("img-ubuntu01"));
    let again = world.export(&ExportRequest { dry_run: true, ..tencent("img-ubuntu01") });
    assert!(matches!(again, Err(ExportRefusal::AlreadyExporting { .. })));
    let limits = Limits { running_exports: 1, ..Limits::of(Cloud::Tencent) };
    world.set_limits(Cloud::Tencent, "100000000001", limits).unwrap();
    assert_eq!(
        world.export(&tencent("img-debian01")).unwrap_err(),
        ExportRefusal::TooManyRunning { running: 1, limit: 1 }
    );
    clouds.pass(10);
    start(world, &tencent("img-debian01"));
}

#[test]
fn objects_appear_disk_by_disk_and_hold_the_disks_bytes() {
    let Clouds { world, clock, .. } = &clouds();
    let task = start(world, &tencent("img-debian01"));
    assert_eq!((task.status, task.progress, task.objects.len()), (TaskStatus::Running, 0, 3));
    // 1.5 s and half a second for each further disk: 2.5 s in all.
    clock.advance(jiff::SignedDuration::from_millis(900));
    let third = now(world, &task);
    assert_eq!(third.progress, 36);
    assert_eq!(third.objects.iter().filter(|object| object.written).count(), 1);
    assert!(world.object(Cloud::Tencent, &task.bucket, "p_img-debian01_xvdb.raw").is_none());
    clock.advance(jiff::SignedDuration::from_millis(1_600));
    let done = now(world, &task);
    assert_eq!((done.status, done.progress), (TaskStatus::Finished, 100));
    assert_eq!(done.finished_at.unwrap(), world.world_now());
    let image = world.image(Cloud::Tencent, &task.account, &task.region, "img-debian01").unwrap();
    for disk in &image.disks {
        let key = format!("p_img-debian01_{}.raw", disk.device_name());
        let object = world.object(Cloud::Tencent, &task.bucket, &key).unwrap();
        assert_eq!(object.size, disk.size_gib << 30);
        assert_eq!(object.crc64, disk.content.crc64().unwrap());
        assert!(object.last_modified > task.created_at);
        assert_eq!(object.etag.split_once('-').unwrap().0.len(), 32);
    }
    assert_eq!(world.objects(Cloud::Tencent, &task.bucket, "p_img-debian01_xvd").len(), 3);
    assert!(world.objects(Cloud::Tencent, &task.bucket, "q").is_empty());
}

fn file_image(folder: &std::path::Path, bytes: &[u8]) -> NewImage {
    let file = folder.join("disk.img");
    std::fs::write(&file, bytes).unwrap();
    NewImage {
        cloud: Cloud::Alibaba,
        account: "1000000000000001".to_owned(),
        owner: None,
        region: "cn-hangzhou".to_owned(),
        id: None,
        name: "mine".to_owned(),
        description: String::new(),
        platform: "Debian".to_owned(),
        os_name: None,
        origin: Origin::Custom,
        encrypted: false,
        state: ImageState::Ready,
        disks: vec![NewDisk { role: DiskRole::System, device: None, size_gib: None, file: Some(file) }],
    }
}

#[test]
fn a_disk_with_a_file_is_exported_with_exactly_its_bytes_however_large() {
    let clouds = clouds();
    let world = &clouds.world;
    // 20 MiB of data: packed on a thread of its own.
    let bytes: Vec<u8> = (0..20_u32 << 20).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    let image = world.add_image(file_image(clouds.folder.path(), &bytes)).unwrap();
    assert_eq!(image.disks[0].size_gib, 1);
    let task = start(world, &alibaba(&image.id));
    clouds.pass(3600);
    let give_up = std::time::Instant::now() + Duration::from_secs(60);
    while now(world, &task).status == TaskStatus::Running {
        assert!(std::time::Instant::now() < give_up, "the object was never packed");
        std::thread::yield_now();
    }
    let object = world.object(Cloud::Alibaba, &task.bucket, &task.objects[0].key).unwrap();
    let packed = object.content.read(0, usize::try_from(object.size).unwrap()).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path().unwrap().to_str().unwrap(), format!("p_{}_xvda.raw", image.id));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut entry, &mut unpacked).unwrap();
    assert_eq!(unpacked.len(), bytes.len());
    assert!(unpacked == bytes);
}

#[test]
fn sparse_members_unpack_with_the_tar_crate_too() {
    let clouds = clouds();
    let image =
        clouds.world.image(Cloud::Alibaba, "1000000000000001", "cn-hangzhou", "m-bp1sampanubuntu00001").unwrap();
    let disk = disk_file(&image.disks[0].content, ImageFormat::Raw);
    let task = start(&clouds.world, &alibaba(&image.id));
    clouds.pass(60);
    let object = clouds.world.object(Cloud::Alibaba, &task.bucket, &task.objects[0].key).unwrap();
    assert!(object.size < 5 << 20, "40 GiB of holes cost {} bytes", object.size);
    let packed = object.content.read(0, usize::try_from(object.size).unwrap()).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
    let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.size(), disk.len());
    let mut front = vec![0; 5 << 20];
    std::io::Read::read_exact(&mut entry, &mut front).unwrap();
    assert!(front == disk.read(0, 5 << 20).unwrap());
}

#[test]
fn a_repeated_export_writes_over_the_same_keys() {
    let clouds = clouds();
    let first = start(&clouds.world, &tencent("img-ubuntu01"));
    clouds.pass(60);
    let before = clouds.world.object(Cloud::Tencent, &first.bucket, &first.objects[0].key).unwrap();
    let second = start(&clouds.world, &tencent("img-ubuntu01"));
    clouds.pass(60);
    let after = clouds.world.object(Cloud::Tencent, &first.bucket, &first.objects[0].key).unwrap();
    assert_eq!(first.objects[0].key, second.objects[0].key);
    assert!(after.last_modified > before.last_modified);
    assert_ne!(first.id, second.id);
    assert_ne!(first.number, second.number);
}

fn spoil(world: &World, kind: FaultKind) {
    let action = "ExportImage".to_owned();
    world.order_fault(Fault { cloud: None, action, region: None, kind, times: 1, delay: Duration::ZERO });
}

#[test]
fn a_task_fails_or_stalls_on_order_and_the_next_one_does_not() {
    let clouds = clouds();
    let world = &clouds.world;
    spoil(world, FaultKind::FailTask);
    spoil(world, FaultKind::StallTask);
    let failing = start(world, &alibaba("m-bp1sampanubuntu00001"));
    let stalling = start(world, &alibaba("m-bp1sampandebian00001"));
    let good = start(world, &alibaba("m-bp1sampanredhat00001"));
    clouds.pass(86_400);
    assert_eq!(now(world, &failing).status, TaskStatus::Failed);
    let stalled = now(world, &stalling);
    assert_eq!((stalled.status, stalled.progress), (TaskStatus::Running, 50));
    assert_eq!(now(world, &good).status, TaskStatus::Finished);
    assert!(world.objects(Cloud::Alibaba, "sampan-hangzhou", "p_m-bp1sampanubuntu").is_empty());
    assert!(world.faults().is_empty());
}

#[tokio::test]
async fn orders_for_calls_and_orders_for_tasks_do_not_mix() {
    let clouds = clouds();
    let world = &clouds.world;
    spoil(world, FaultKind::FailTask);
    spoil(world, FaultKind::Throttle);
    assert_eq!(world.verdict(Cloud::Alibaba, "ExportImage", "cn-hangzhou").await, Verdict::Throttle);
    assert_eq!(world.verdict(Cloud::Alibaba, "ExportImage", "cn-hangzhou").await, Verdict::Serve);
    let task = start(world, &alibaba("m-bp1sampanubuntu00001"));
    clouds.pass(60);
    assert_eq!(now(world, &task).status, TaskStatus::Failed);
}

#[test]
fn a_cancelled_task_stays_cancelled_and_frees_the_image() {
    let clouds = clouds();
    let world = &clouds.world;
    let task = start(world, &alibaba("m-bp1sampanubuntu00001"));
    let cancel = || world.cancel_task(task.cloud, &task.account, &task.region, &task.id);
    cancel().unwrap();
    assert!(cancel().is_err());
    clouds.pass(3600);
    assert_eq!(now(world, &task).status, TaskStatus::Cancelled);
    assert!(world.objects(Cloud::Alibaba, "sampan-hangzhou", "").is_empty());
    start(world, &alibaba("m-bp1sampanubuntu00001"));
    assert!(world.cancel_task(Cloud::Alibaba, "1000000000000002", &task.region, &task.id).is_err());
}

#[test]
fn speed_makes_tasks_faster_and_leaves_the_clock_of_signatures_alone() {
    let clouds = clouds();
    let world = &clouds.world;
    assert!(!world.set_speed(0.0) && !world.set_speed(-1.0) && !world.set_speed(f64::NAN));
    assert!(world.set_speed(3600.0));
    let task = start(world, &tencent("img-ubuntu01"));
    clouds.pass(1);
    assert_eq!(now(world, &task).status, TaskStatus::Finished);
    assert_eq!(world.auth_now(), "2026-11-21T04:00:01Z".parse().unwrap());
    assert_eq!(world.world_now(), "2026-11-21T05:00:00Z".parse().unwrap());
}

#[test]
fn a_reset_forgets_everything_but_the_seed() {
    let clouds = clouds();
    let world = &clouds.world;
    let images = world.all_images().len();
    start(world, &tencent("img-ubuntu01"));
    spoil(world, FaultKind::Throttle);
    world.jump(Duration::from_secs(86_400));
    world.add_image(file_image(clouds.folder.path(), b"x")).unwrap();
    assert_eq!(world.all_images().len(), images + 1);
    world.reset();
    assert_eq!(world.all_images().len(), images);
    assert!(world.all_tasks().is_empty() && world.all_objects().is_empty() && world.faults().is_empty());
    assert_eq!(world.world_now(), world.auth_now());
    assert_eq!(world.used_operations(Cloud::Tencent, "100000000001", "ap-guangzhou"), 0);
}
