"""Copies of images and snapshots through the official ECS clients: start, progress, end, cancel, the large image."""

import json

import pytest
from ecs_scenario import REGION, image

FAR = "cn-shanghai"
EVERY_STATUS = "Waiting,Creating,Available,UnAvailable,CreateFailed,Deprecated"
GOOD = {"RegionId": REGION, "ImageId": image("ubuntu"), "DestinationRegionId": FAR, "DestinationImageName": "web-copy"}


def find(ecs, image_id, region=FAR, status=EVERY_STATUS):
    """Returns the image, or None."""
    told = ecs.call("DescribeImages", RegionId=region, ImageId=image_id, Status=status)["Images"]["Image"]
    return told[0] if told else None


def ready(simulator, ecs, image_id, region=FAR):
    """Waits until the image is Available and returns it."""
    look = lambda: (found := find(ecs, image_id, region)) and found["Status"] == "Available" and found
    return simulator.until(look, image_id)


def copy(ecs, **change):
    return ecs.call("CopyImage", **(GOOD | change))["ImageId"]


def test_a_copy_is_reserved_at_once_and_hidden_without_a_status(ecs, simulator):
    simulator.post("pace", floor_ms=100_000)
    made = copy(ecs)
    assert find(ecs, made, status=None) is None
    simulator.post("clock", jump_seconds=32)
    told = find(ecs, made)
    assert (told["Status"], told["IsCopied"], told["ImageName"]) == ("Creating", True, "web-copy")
    assert 32 <= int(told["Progress"].removesuffix("%")) < 42
    (disk,) = told["DiskDeviceMappings"]["DiskDeviceMapping"]
    assert disk["Progress"] == told["Progress"]
    assert ecs.call("DescribeTasks", RegionId=FAR)["TotalCount"] == 0
    simulator.post("clock", jump_seconds=70)
    told = find(ecs, made, status=None)
    assert (told["Status"], told["Progress"], told["ImageOwnerAlias"]) == ("Available", "100%", "self")


def test_a_copy_that_runs_can_be_cancelled_and_is_gone_with_its_snapshots(ecs, simulator):
    simulator.post("pace", floor_ms=100_000)
    made = copy(ecs)
    ecs.call("CancelCopyImage", RegionId=FAR, ImageId=made)
    assert find(ecs, made) is None
    assert ecs.call("DescribeSnapshots", RegionId=FAR)["Snapshots"] == {"Snapshot": []}
    again = ecs.refusal("CancelCopyImage", RegionId=FAR, ImageId=made)
    assert (again.code, again.status) == ("InvalidImageId.NotFound", 404)
    assert copy(ecs) != made
