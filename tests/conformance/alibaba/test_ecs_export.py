"""A full export through the official ECS clients: start, progress, end, bytes, cancel."""

import subprocess

import oss2
import pytest
from ecs_scenario import BUCKET, REGION, export, image, object_keys, wait


def bucket_of(simulator, account, name=BUCKET):
    auth = oss2.Auth(account["secret_id"], account["secret_key"])
    return oss2.Bucket(auth, simulator.addresses["oss"], name)


def test_an_export_ends_in_an_object_that_unpacks_to_the_disks_bytes(ecs, simulator, account, own_image, disk, tmp_path):
    keys = export(ecs, own_image, OSSPrefix="Golden")
    assert keys == [f"Golden_{own_image}_system.raw.tar.gz"]
    packed = tmp_path / "packed.raw.tar.gz"
    # oss2 itself compares the CRC-64 of what it received with the header.
    bucket_of(simulator, account).get_object_to_file(keys[0], str(packed))
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["tar", "-xzSf", packed, "-C", folder], check=True)
    (unpacked,) = folder.iterdir()
    assert unpacked.name.endswith(".raw")
    assert unpacked.read_bytes() == disk.read_bytes()


def test_each_disk_gets_an_object_named_by_its_device(tea, simulator, account):
    keys = export(tea, image("debian"), OSSPrefix="Db")
    name = "Db_" + image("debian")
    assert keys == [f"{name}_system.raw.tar.gz", f"{name}_data_xvdb.raw.tar.gz", f"{name}_data_xvdc.raw.tar.gz"]
    bucket = bucket_of(simulator, account)
    assert all(bucket.object_exists(key) for key in keys)


def test_without_a_prefix_the_name_begins_with_the_image(tea, own_image):
    assert export(tea, own_image, OSSPrefix=None) == [f"{own_image}_system.raw.tar.gz"]


@pytest.mark.parametrize("word", ["qcow2", "vhd", "vmdk", "vdi"])
def test_other_formats_have_their_plain_ending_where_the_region_has_them(tea, word):
    keys = export(
        tea, "m-t4n1sampansingapor01", RegionId="ap-southeast-1", OSSBucket="sampan-singapore", ImageFormat=word
    )
    assert keys == [f"Test_m-t4n1sampansingapor01_system.{word}"]


def test_progress_rises_and_the_objects_are_told_at_the_end(ecs, simulator, own_image):
    simulator.post("pace", floor_ms=60_000)
    task = ecs.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)["TaskId"]
    seen = []
    for _ in range(3):
        told = ecs.call("DescribeTaskAttribute", RegionId=REGION, TaskId=task)
        assert (told["TaskStatus"], told["TaskAction"], told["FinishedTime"]) == ("Processing", "ExportImage", "")
        assert told["SupportCancel"] in (True, "true")
        assert object_keys(told) == []
        seen.append(int(told["TaskProcess"].removesuffix("%")))
        simulator.post("clock", jump_seconds=15)
    assert seen == sorted(set(seen))
    simulator.post("clock", jump_seconds=60)
    told = wait(ecs, task)
    assert (told["TaskStatus"], told["TaskProcess"], told["SuccessCount"], told["FailedCount"]) == ("Finished", "100%", 1, 0)
    (operation,) = told["OperationProgressSet"]["OperationProgress"]
    assert (operation["OperationStatus"], operation["ErrorCode"], operation["ErrorMsg"]) == ("Success", "", "")
    items = {item["Name"]: item["Value"] for item in operation["RelatedItemSet"]["RelatedItem"]}
    assert items == {"OSSBucket": BUCKET, "OSSObject": f"{own_image}_system.raw.tar.gz", "ImageFormat": "raw"}


def test_tasks_are_found_by_image_and_status(ecs, simulator, own_image):
    first = ecs.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)["TaskId"]
    wait(ecs, first)
    simulator.post("pace", floor_ms=60_000)
    second = ecs.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)["TaskId"]

    def ids(**filters):
        told = ecs.call("DescribeTasks", RegionId=REGION, **filters)
        assert told["TotalCount"] == len(told["TaskSet"]["Task"])
        return [task["TaskId"] for task in told["TaskSet"]["Task"]]

    assert ids() == [second, first]
    assert ids(TaskStatus="Processing", TaskAction="ExportImage") == [second]
    assert ids(TaskStatus="Finished") == [first]
    assert ids(TaskIds=f"{first},{second}") == [second, first]
    assert ids(TaskAction="ImportImage") == []
    assert ids(StartTime="2100-01-01T00:00Z") == []
    assert ids(ResourceIds=[own_image]) == [second, first]
    assert ids(ResourceIds=[image("debian")]) == []
    page = ecs.call("DescribeTasks", RegionId=REGION, PageNumber=2, PageSize=1)
    assert (page["TotalCount"], [task["TaskId"] for task in page["TaskSet"]["Task"]]) == (2, [first])
    task = page["TaskSet"]["Task"][0]
    assert task["ResourceId"] == own_image
    assert len(task["CreationTime"]) == len("2026-11-21T04:00Z")


def test_a_cancelled_export_is_deleted_and_writes_no_object(ecs, simulator, account, own_image):
    simulator.post("pace", floor_ms=60_000)
    task = ecs.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)["TaskId"]
    ecs.call("CancelTask", RegionId=REGION, TaskId=task)
    assert wait(ecs, task)["TaskStatus"] == "Deleted"
    simulator.post("clock", jump_seconds=120)
    assert not bucket_of(simulator, account).object_exists(f"{own_image}_system.raw.tar.gz")
    again = ecs.refusal("CancelTask", RegionId=REGION, TaskId=task)
    assert (again.code, again.status) == ("InvalidTaskId.IncorrectTaskStatus", 403)
    simulator.post("pace", floor_ms=100)
    assert export(ecs, own_image) == [f"Test_{own_image}_system.raw.tar.gz"]


def test_a_task_that_the_cloud_gives_up_tells_its_error(tea, simulator, own_image):
    simulator.post("faults", cloud="alibaba", action="ExportImage", kind="fail_task", times=1)
    task = tea.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)["TaskId"]
    told = wait(tea, task)
    assert (told["TaskStatus"], told["FailedCount"]) == ("Failed", 1)
    (operation,) = told["OperationProgressSet"]["OperationProgress"]
    assert (operation["OperationStatus"], operation["ErrorCode"]) == ("Failed", "ExportImageFailed")


def test_a_dry_run_is_reported_as_an_error_and_starts_nothing(ecs, own_image):
    refusal = ecs.refusal("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET, DryRun=True)
    assert (refusal.code, refusal.status) == ("DryRunOperation", 400)
    assert ecs.call("DescribeTasks", RegionId=REGION)["TotalCount"] == 0


def test_a_lost_answer_leaves_the_export_running(tea, simulator, own_image):
    simulator.post("pace", floor_ms=60_000)
    simulator.post("faults", cloud="alibaba", action="ExportImage", kind="answer_lost", times=1)
    with pytest.raises(Exception, match="(?i)connection|remote|closed|aborted"):
        tea.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)
    (task,) = tea.call("DescribeTasks", RegionId=REGION)["TaskSet"]["Task"]
    assert (task["ResourceId"], task["TaskStatus"]) == (own_image, "Processing")
    assert [line["outcome"] for line in simulator.audit() if line["action"] == "ExportImage"] == ["lost"]


def test_a_connection_cut_before_the_effect_starts_nothing(tea, simulator, own_image):
    simulator.post("faults", cloud="alibaba", action="ExportImage", kind="reset", times=1)
    with pytest.raises(Exception, match="(?i)connection|remote|closed|aborted"):
        tea.call("ExportImage", RegionId=REGION, ImageId=own_image, OSSBucket=BUCKET)
    assert tea.call("DescribeTasks", RegionId=REGION)["TotalCount"] == 0
    assert [line["outcome"] for line in simulator.audit() if line["action"] == "ExportImage"] == ["reset"]
