use sampan_cloud::image::{Disk, ExportTaskState};
use sampan_core::{Cloud, DiskRole, ImageFormat};

use super::*;

fn plan(known_tasks: &[&str]) -> Plan {
    let disk = Disk { role: DiskRole::System, device: None, size_gib: 50, snapshot_id: None, encrypted: None };
    Plan {
        estimate: None,
        disks: vec![disk],
        before: Vec::new(),
        known_tasks: known_tasks.iter().map(|id| (*id).to_owned()).collect(),
        since: "2026-11-21T04:00:00Z".parse().unwrap(),
    }
}

fn spec() -> ExportSpec {
    ExportSpec {
        cloud: Cloud::Alibaba,
        account: "prod".parse().unwrap(),
        region: "cn-hangzhou".parse().unwrap(),
        image: "m-1".parse().unwrap(),
        bucket: "images".to_owned(),
        prefix: Some("P".to_owned()),
        format: ImageFormat::Raw,
        only_root_disk: false,
        role_name: None,
        queue_when_quota_spent: false,
        deadline_seconds: None,
        stall_after_seconds: None,
        max_cost: None,
        expected_use: Default::default(),
        lacks_region: false,
    }
}

fn task(id: &str, bucket: Option<&str>, objects: &[&str]) -> ExportTask {
    ExportTask {
        task_id: id.to_owned(),
        state: ExportTaskState::Running,
        percent: None,
        can_cancel: true,
        objects: objects.iter().map(|key| (*key).to_owned()).collect(),
        image: Some("m-1".parse().unwrap()),
        bucket: bucket.map(str::to_owned),
        created: None,
    }
}

fn found(tasks: Vec<ExportTask>, known: &[&str]) -> Option<String> {
    ours(tasks, &spec(), &plan(known)).map(|task| task.task_id)
}

#[test]
fn a_task_is_ours_unless_something_speaks_against_it() {
    let told = |task| found(vec![task], &["t-0"]);
    assert_eq!(told(task("t-1", None, &[])).as_deref(), Some("t-1"));
    assert_eq!(told(task("t-1", Some("images"), &["P_m-1_system.raw.tar.gz"])).as_deref(), Some("t-1"));
    assert_eq!(told(task("t-0", None, &[])), None, "there before the call");
    assert_eq!(told(task("t-1", Some("elsewhere"), &[])), None);
    assert_eq!(told(task("t-1", None, &["Q_m-1_system.raw.tar.gz"])), None);
    assert_eq!(told(ExportTask { image: Some("m-2".parse().unwrap()), ..task("t-1", None, &[]) }), None);
}

#[test]
fn a_task_that_tells_our_bucket_comes_before_one_that_tells_nothing() {
    assert_eq!(found(vec![task("t-1", None, &[]), task("t-2", Some("images"), &[])], &[]).as_deref(), Some("t-2"));
    assert_eq!(found(vec![task("t-1", None, &[]), task("t-2", None, &[])], &[]).as_deref(), Some("t-1"), "the oldest");
}

/// Adds empty looks until the verdict is sure; returns their number and the time that they took.
fn until_sure(looks: &mut Looks, lists_tasks: bool) -> (u32, Duration) {
    let mut waited = Duration::ZERO;
    for count in 1..1000 {
        match looks.add(Some(false), lists_tasks, &plan(&[])) {
            Verdict::WithoutEffect => return (count, waited),
            Verdict::LookAgain(pause) => waited += pause.expect("a pause of its own"),
        }
    }
    panic!("never sure");
}

#[test]
fn a_cloud_with_a_list_is_sure_after_a_few_looks() {
    assert_eq!(until_sure(&mut Looks::default(), true), (LOOKS, LOOK_AGAIN * (LOOKS - 1)));
}

#[test]
fn a_cloud_without_a_list_is_sure_after_half_of_the_exports_time_alone() {
    let (count, waited) = until_sure(&mut Looks::default(), false);
    assert!(waited >= Duration::from_secs(3600) && waited < Duration::from_secs(4000), "{waited:?}");
    assert!(count < 30, "{count} looks");
}

#[test]
fn a_cloud_that_has_called_the_image_busy_is_believed_when_it_is_idle_again() {
    let mut looks = Looks::default();
    assert_eq!(looks.add(Some(true), false, &plan(&[])), Verdict::LookAgain(None));
    assert_eq!(until_sure(&mut looks, false).0, LOOKS);
}

#[test]
fn a_busy_look_starts_the_count_anew_and_a_look_that_tells_nothing_changes_nothing() {
    let mut looks = Looks::default();
    for _ in 1..LOOKS {
        looks.add(Some(false), true, &plan(&[]));
    }
    let before = looks.clone();
    assert_eq!(looks.add(None, true, &plan(&[])), Verdict::LookAgain(None));
    assert_eq!(looks, before);
    looks.add(Some(true), true, &plan(&[]));
    assert_eq!(until_sure(&mut looks, true).0, LOOKS);
}
