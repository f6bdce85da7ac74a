"""Copies and shares of Tencent Cloud as its Python SDK sees them: start, progress, end, receivers, refusals."""

import pytest
from sdk_calls import code, describe, refused
from tencentcloud.cbs.v20170312 import models as cbs_models
from tencentcloud.cvm.v20170312 import models

GOOD = "img-ubuntu01"
DEBIAN = "img-debian01"
HERE = "ap-guangzhou"
FAR = ["ap-shanghai", "ap-beijing", "ap-hongkong"]


def filled(request, fields):
    for name, value in fields.items():
        assert hasattr(request, name), name
        setattr(request, name, value)
    return request


def sync(client, image=GOOD, regions=("ap-shanghai",), **fields):
    fields = {"ImageIds": [image], "DestinationRegions": list(regions), "ImageSetRequired": True} | fields
    return client.SyncImages(filled(models.SyncImagesRequest(), fields))


def share(client, image, *accounts, permission="SHARE"):
    fields = {"ImageId": image, "AccountIds": list(accounts), "Permission": permission}
    return client.ModifyImageSharePermission(filled(models.ModifyImageSharePermissionRequest(), fields))


def receivers(client, image):
    request = filled(models.DescribeImageSharePermissionRequest(), {"ImageId": image})
    return [one.AccountId for one in client.DescribeImageSharePermission(request).SharePermissionSet]


def create(client, snapshots, name="made", **fields):
    fields = {"ImageName": name, "SnapshotIds": list(snapshots)} | fields
    return client.CreateImage(filled(models.CreateImageRequest(), fields)).ImageId


def delete(client, *images, **fields):
    return client.DeleteImages(filled(models.DeleteImagesRequest(), {"ImageIds": list(images)} | fields))


def one(client, image):
    (found,) = describe(client, ImageIds=[image]).ImageSet
    return found


def ready(simulator, client, image):
    """Waits until the image is NORMAL and returns it."""
    return simulator.until(lambda: (found := one(client, image)).ImageState == "NORMAL" and found, image)


def snapshots(cbs, *ids):
    answer = cbs.DescribeSnapshots(filled(cbs_models.DescribeSnapshotsRequest(), {"SnapshotIds": list(ids)}))
    return {found.SnapshotId: found for found in answer.SnapshotSet}


@pytest.fixture
def other(client, other_account):
    """Returns a maker of clients of the second account."""
    keys = {"secret_id": other_account["secret_id"], "secret_key": other_account["secret_key"]}
    return lambda region=HERE, **more: client(region=region, **keys, **more)


@pytest.fixture
def used(simulator, account):
    """Tells how many operations of the day are used in a region."""
    lane = f"quota?cloud=tencent&account={account['account']}&region="
    return lambda region=HERE: simulator.get(lane + region)["used"]


# ---- copies ------------------------------------------------------------------------------------------------------


def test_one_call_copies_to_many_regions_and_costs_one_operation(simulator, client, cvm, used):
    simulator.post("pace", floor_ms=100_000)
    placed = {one.Region: one.ImageId for one in sync(cvm, regions=FAR).ImageSet}
    assert list(placed) == FAR
    assert used() == 1 and used("ap-shanghai") == 0
    simulator.post("clock", jump_seconds=40)
    for region, image in placed.items():
        found = one(client(region=region), image)
        assert (found.ImageState, found.ImageName, found.ImageType) == ("SYNCING", "web-golden", "PRIVATE_IMAGE")
        assert 40 <= found.SyncPercent < 50
    assert one(cvm, GOOD).ImageState == "NORMAL" and one(cvm, GOOD).SyncPercent is None
    simulator.post("clock", jump_seconds=61)
    for region, image in placed.items():
        found = one(client(region=region), image)
        assert (found.ImageState, found.SyncPercent) == ("NORMAL", None)
    (line,) = simulator.audit(action="SyncImages")
    assert (line["mutating"], line["image"], line["destinations"]) == (True, GOOD, FAR)


def test_a_copy_in_another_account_is_shared_after_it_was_made(simulator, client, cvm, other, other_account):
    placed = sync(cvm, regions=["ap-shanghai"], ImageName="for-them").ImageSet[0].ImageId
    shanghai = client(region="ap-shanghai")
    assert code(share, shanghai, placed, other_account["account"]) == "InvalidParameterValue.InvalidImageState"
    ready(simulator, shanghai, placed)
    share(shanghai, placed, other_account["account"])
    received = one(other("ap-shanghai"), placed)
    assert (received.ImageType, received.ImageName) == ("SHARED_IMAGE", "for-them")
    assert describe(other(), ImageIds=[placed]).TotalCount == 0


def test_a_receiver_copies_within_the_region_and_owns_the_result(simulator, cvm, other, account, other_account):
    share(cvm, GOOD, other_account["account"])
    theirs = other()
    received = one(theirs, GOOD)
    assert (received.ImageType, received.ImageCreator) == ("SHARED_IMAGE", account["account"])
    assert code(sync, theirs, regions=["ap-shanghai"]) == "InvalidParameterValue.InvalidRegion"
    own = sync(theirs, regions=[HERE], ImageName="mine-now").ImageSet[0].ImageId
    assert ready(simulator, theirs, own).ImageType == "PRIVATE_IMAGE"
    share(cvm, GOOD, other_account["account"], permission="CANCEL")
    assert describe(theirs, ImageIds=[GOOD]).TotalCount == 0
    assert one(theirs, own).ImageState == "NORMAL"
    # An image of its own goes where images go.
    assert sync(theirs, own, regions=["ap-shanghai"]).ImageSet


def test_a_share_in_the_same_region_needs_no_copy(cvm, other, other_account, used):
    share(cvm, GOOD, other_account["account"])
    assert receivers(cvm, GOOD) == [other_account["account"]]
    assert one(other(), GOOD).ImageType == "SHARED_IMAGE"
    assert used() == 1
