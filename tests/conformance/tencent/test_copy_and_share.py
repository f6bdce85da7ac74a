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


def test_encryption_is_changed_by_a_copy_within_the_region(simulator, account, cvm, cbs):
    key = account["kms_keys"][0]["id"]
    made = sync(cvm, regions=[HERE], ImageName="encrypted-now", Encrypt=True, KmsKeyId=key).ImageSet[0].ImageId
    image = ready(simulator, cvm, made)
    (snapshot,) = snapshots(cbs, image.SnapshotSet[0].SnapshotId).values()
    assert (snapshot.Encrypt, snapshot.SnapshotState, snapshot.Percent) == (True, "NORMAL", 100)
    assert code(sync, cvm, made) == "UnsupportedOperation.EncryptedImagesNotSupported"


def test_the_ids_are_told_only_to_those_who_ask(simulator, client, cvm):
    assert sync(cvm, ImageSetRequired=False, ImageName="quiet").ImageSet == []
    found = describe(client(region="ap-shanghai"), filters={"image-name": ["quiet"]}).ImageSet
    assert [(image.ImageName, image.ImageSource) for image in found] == [("quiet", "CREATE_IMAGE")]


def test_a_dry_run_of_a_copy_starts_and_spends_nothing(simulator, client, cvm, used):
    answer = sync(cvm, DryRun=True)
    assert answer.ImageSet is None and answer.RequestId
    assert used() == 0
    assert code(sync, cvm, regions=["ap-nanjing"], DryRun=True) == "InvalidRegion.Unavailable"
    assert describe(client(region="ap-shanghai"), filters={"image-name": ["web-golden"]}).TotalCount == 1
    assert [line["mutating"] for line in simulator.audit(action="SyncImages")] == [False, False]


SYNCS = [
    ("unknown image", {"image": "img-nobody01"}, "InvalidImageId.NotFound"),
    ("another account's image", {"image": "img-second01"}, "InvalidImageId.NotFound"),
    ("image of another region", {"image": "img-shangha1"}, "InvalidImageId.NotFound"),
    ("malformed image", {"image": "m-bp1sampanubuntu00001"}, "InvalidImageId.Malformed"),
    ("public image", {"image": "img-public01"}, "InvalidParameterValue.InvalidImageId"),
    ("being made", {"image": "img-creatng1"}, "InvalidImageId.IncorrectState"),
    ("encrypted", {"image": "img-crypted1"}, "UnsupportedOperation.EncryptedImagesNotSupported"),
    ("two images", {"ImageIds": [GOOD, DEBIAN]}, "InvalidParameterValue.LimitExceeded"),
    ("no image", {"ImageIds": []}, "MissingParameter"),
    ("no destination", {"regions": []}, "MissingParameter"),
    ("own region", {"regions": [HERE]}, "InvalidParameterValue.InvalidRegion"),
    ("unknown region", {"regions": ["ap-nowhere"]}, "InvalidRegion.NotFound"),
    ("region of no copies", {"regions": ["ap-nanjing"]}, "InvalidRegion.Unavailable"),
    ("North America", {"regions": ["na-siliconvalley"]}, "InvalidRegion.Unavailable"),
    ("one of several is bad", {"regions": ["ap-shanghai", "na-ashburn"]}, "InvalidRegion.Unavailable"),
    ("the same region twice", {"regions": ["ap-shanghai", "ap-shanghai"]}, "InvalidParameterValue"),
    ("name taken", {"ImageName": "web-golden-abroad"}, "InvalidImageName.Duplicate"),
    ("name of 61 characters", {"ImageName": "n" * 61}, "InvalidParameterValue"),
    ("key without encryption", {"KmsKeyId": "c0ffee00-0000-4000-8000-000000000001"}, "InvalidParameter.InvalidKmsKeyId"),
    ("encryption elsewhere", {"Encrypt": True}, "InvalidParameterValue.InvalidRegion"),
    ("unknown key", {"regions": [HERE], "Encrypt": True, "KmsKeyId": "nobody"}, "InvalidParameter.InvalidKmsKeyId"),
    ("own name kept", {"regions": [HERE], "Encrypt": True}, "InvalidImageName.Duplicate"),
    ("a word for a flag", {"ImageSetRequired": "yes"}, "InvalidParameter"),
]


@pytest.mark.parametrize("change, expected", [one[1:] for one in SYNCS], ids=[one[0] for one in SYNCS])
def test_a_copy_is_refused_by_the_vendors_code(cvm, used, change, expected):
    assert code(sync, cvm, **change) == expected
    assert used() == 0


def test_a_copy_out_of_a_region_of_no_copies_is_refused(simulator, client, account):
    fields = {"cloud": "tencent", "account": account["account"], "region": "ap-nanjing", "name": "n"}
    made = simulator.post("images", **fields, disks=[{"role": "system", "size_gib": 20}])
    assert code(sync, client(region="ap-nanjing"), made["id"], ["ap-shanghai"]) == "UnsupportedOperation.Region"


def test_the_newer_rule_of_region_groups_can_be_switched_on(simulator, cvm, account):
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"copy_regions": None})
    assert code(sync, cvm, regions=["ap-hongkong"]) == "UnsupportedOperation.Region"
    assert sync(cvm, regions=["ap-nanjing", "ap-chengdu"]).ImageSet


def test_a_busy_image_is_refused_until_its_copy_is_made(simulator, cvm, client, export):
    simulator.post("pace", floor_ms=100_000)
    made = sync(cvm).ImageSet[0].ImageId
    assert code(sync, cvm, regions=["ap-beijing"]) == "FailedOperation.InvalidImageState"
    assert code(delete, cvm, GOOD) == "InvalidImageId.IncorrectState"
    assert code(delete, client(region="ap-shanghai"), made) == "InvalidImageId.IncorrectState"
    export(cvm, DEBIAN)
    assert code(sync, cvm, DEBIAN) == "InvalidParameterValue.InvalidImageState"
    assert code(delete, cvm, DEBIAN) == "MutexOperation.TaskRunning"
    simulator.post("clock", jump_seconds=101)
    assert sync(cvm, regions=["ap-beijing"]).ImageSet


def test_a_full_destination_is_refused_and_told_by_the_quota(simulator, client, cvm, account):
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"images_per_region": 2})
    shanghai = client(region="ap-shanghai")
    assert shanghai.DescribeImageQuota(models.DescribeImageQuotaRequest()).ImageNumQuota == 2
    sync(cvm)
    # The copy counts from its first moment on.
    assert describe(shanghai, filters={"image-type": ["PRIVATE_IMAGE"]}).TotalCount == 2
    assert code(sync, cvm, DEBIAN) == "ImageQuotaLimitExceeded"


def test_a_destination_that_fills_up_fails_the_copy_that_runs(simulator, client, cvm, account):
    simulator.post("pace", floor_ms=100_000)
    made = sync(cvm).ImageSet[0].ImageId
    for number in range(9):
        fields = {"cloud": "tencent", "account": account["account"], "region": "ap-shanghai"}
        simulator.post("images", **fields, name=f"by-hand-{number}", disks=[{"role": "system", "size_gib": 20}])
    simulator.post("clock", jump_seconds=101)
    assert one(client(region="ap-shanghai"), made).ImageState == "CREATEFAILED"


def test_a_failed_copy_keeps_its_name_until_it_is_deleted(simulator, client, cvm):
    simulator.post("faults", cloud="tencent", action="SyncImages", kind="fail_task", region="ap-beijing")
    placed = {one.Region: one.ImageId for one in sync(cvm, regions=FAR).ImageSet}
    beijing = client(region="ap-beijing")
    simulator.until(lambda: one(beijing, placed["ap-beijing"]).ImageState == "CREATEFAILED", "the failure")
    ready(simulator, client(region="ap-hongkong"), placed["ap-hongkong"])
    assert code(sync, cvm, regions=["ap-beijing"]) == "InvalidImageName.Duplicate"
    delete(beijing, placed["ap-beijing"], DeleteBindedSnap=True)
    assert sync(cvm, regions=["ap-beijing"]).ImageSet


def test_a_stalled_copy_stays_and_a_vanished_one_is_gone(simulator, client, cvm):
    for region, kind in (("ap-shanghai", "stall_task"), ("ap-beijing", "vanish_task")):
        simulator.post("faults", cloud="tencent", action="SyncImages", kind=kind, region=region)
    placed = {one.Region: one.ImageId for one in sync(cvm, regions=["ap-shanghai", "ap-beijing"]).ImageSet}
    simulator.post("clock", jump_seconds=86_400)
    stalled = one(client(region="ap-shanghai"), placed["ap-shanghai"])
    assert (stalled.ImageState, stalled.SyncPercent) == ("SYNCING", 50)
    assert describe(client(region="ap-beijing"), ImageIds=[placed["ap-beijing"]]).TotalCount == 0


def test_a_lost_answer_of_a_copy_has_had_its_effect(simulator, client, cvm, used):
    simulator.post("faults", cloud="tencent", action="SyncImages", kind="answer_lost")
    assert refused(sync, cvm, ImageName="lost").get_code() == "ClientNetworkError"
    shanghai = client(region="ap-shanghai")
    (found,) = describe(shanghai, filters={"image-name": ["lost"]}).ImageSet
    ready(simulator, shanghai, found.ImageId)
    assert used() == 1
    assert code(sync, cvm, ImageName="lost") == "InvalidImageName.Duplicate"


def test_an_image_that_leaves_the_ready_state_is_refused(simulator, cvm, other_account):
    simulator.post("images/change", cloud="tencent", region=HERE, id=GOOD, state="creating")
    assert code(sync, cvm) == "InvalidImageId.IncorrectState"
    assert code(share, cvm, GOOD, other_account["account"]) == "InvalidParameterValue.InvalidImageState"


def test_images_with_data_disks_can_be_switched_off(simulator, cvm, account, other_account):
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"data_disk_images": False})
    assert code(sync, cvm, DEBIAN) == "InvalidParameter.InstanceImageNotSupport"
    assert code(share, cvm, DEBIAN, other_account["account"]) == "InvalidParameter.InstanceImageNotSupport"
    assert sync(cvm, GOOD).ImageSet


# ---- shares ------------------------------------------------------------------------------------------------------


def neighbours(count):
    """Numbers of accounts that exist without a key."""
    return [f"100000000{number}" for number in range(100, 100 + count)]


SHARES = [
    ("own account", {"accounts": ["100000000001"]}, "FailedOperation.AccountIsYourSelf"),
    ("user of an account", {"accounts": ["200000000002"]}, "FailedOperation.NotMasterAccount"),
    ("unknown account", {"accounts": ["999999999999"]}, "InvalidAccountId.NotFound"),
    ("no number", {"accounts": ["root@example.com"]}, "InvalidAccountId.NotFound"),
    ("51 accounts", {"accounts": neighbours(51)}, "OverQuota"),
    ("no account", {"accounts": []}, "MissingParameter"),
    ("the same account twice", {"accounts": ["100000000002"] * 2}, "InvalidParameterValue"),
    ("another word", {"permission": "GIVE"}, "InvalidParameterValue"),
    ("unknown image", {"image": "img-nobody01"}, "InvalidImageId.NotFound"),
    ("malformed image", {"image": "ubuntu"}, "InvalidImageId.Malformed"),
    ("received image", {"image": "img-shared01"}, "UnauthorizedOperation.ImageNotBelongToAccount"),
    ("public image", {"image": "img-public01"}, "InvalidParameterValue.InvalidImageId"),
    ("encrypted image", {"image": "img-crypted1"}, "UnsupportedOperation.EncryptedImagesNotSupported"),
    ("being made", {"image": "img-creatng1"}, "InvalidParameterValue.InvalidImageState"),
]


@pytest.mark.parametrize("change, expected", [one[1:] for one in SHARES], ids=[one[0] for one in SHARES])
def test_a_share_is_refused_by_the_vendors_code(cvm, used, change, expected):
    change = {"image": GOOD, "accounts": ["100000000002"], "permission": "SHARE"} | change
    assert code(share, cvm, change["image"], *change["accounts"], permission=change["permission"]) == expected
    assert used() == 0 and receivers(cvm, GOOD) == []


def test_a_share_that_is_there_is_refused_and_changes_nothing(cvm, used):
    share(cvm, GOOD, "100000000002")
    assert code(share, cvm, GOOD, "100000000100", "100000000002") == "FailedOperation.AccountAlreadyExists"
    assert receivers(cvm, GOOD) == ["100000000002"]
    share(cvm, GOOD, "100000000100", permission="CANCEL")
    share(cvm, GOOD, "100000000002", permission="CANCEL")
    assert receivers(cvm, GOOD) == [] and used() == 3


def test_fifty_accounts_are_shared_with_in_one_call(cvm, used):
    share(cvm, GOOD, *neighbours(50))
    assert receivers(cvm, GOOD) == neighbours(50)
    assert used() == 1
    assert code(share, cvm, GOOD, "100000000002") == "OverQuota"


def test_receivers_of_a_foreign_image_are_not_told(cvm):
    assert code(receivers, cvm, "img-shared01") == "UnauthorizedOperation.ImageNotBelongToAccount"
    assert code(receivers, cvm, "img-second01") == "InvalidImageId.NotFound"


def test_a_share_by_hand_is_seen_and_shown(simulator, cvm):
    simulator.post("shares", cloud="tencent", region=HERE, image=GOOD, receiver="100000000150")
    assert receivers(cvm, GOOD) == ["100000000150"]
    (told,) = simulator.get("shares")["shares"]
    assert (told["receiver"], told["image"], told["account"]) == ("100000000150", GOOD, "100000000001")
    simulator.post("shares", cloud="tencent", region=HERE, image=GOOD, receiver="100000000150", shared=False)
    assert receivers(cvm, GOOD) == []


def test_a_spent_day_refuses_every_call_that_changes_images(simulator, cvm, account, cbs):
    simulator.post("console", cloud="tencent", account=account["account"], region=HERE, n=5)
    disk = one(cvm, GOOD).SnapshotSet[0].SnapshotId
    for call in (
        lambda: sync(cvm),
        lambda: share(cvm, GOOD, "100000000002"),
        lambda: delete(cvm, DEBIAN),
        lambda: create(cvm, [disk]),
    ):
        simulator.post("limits", cloud="tencent", account=account["account"], limits={"images_per_region": 20})
        assert code(call) == "LimitExceeded"
    simulator.post("clock", next_quota_day=True)
    assert sync(cvm).ImageSet


# ---- making and deleting -----------------------------------------------------------------------------------------


def test_an_image_is_made_of_snapshots(simulator, cvm, cbs):
    disks = [disk.SnapshotId for disk in one(cvm, DEBIAN).SnapshotSet]
    made = create(cvm, disks, name="rebuilt", ForcePoweroff="True", Sysprep="FALSE")
    assert one(cvm, made).ImageState in ("CREATING", "NORMAL")
    image = ready(simulator, cvm, made)
    assert [disk.DiskUsage for disk in image.SnapshotSet] == ["SYSTEM_DISK", "DATA_DISK", "DATA_DISK"]
    used_by = snapshots(cbs, disks[0])[disks[0]].Images
    assert {user.ImageId for user in used_by} == {DEBIAN, made}


CREATES = [
    ("neither instance nor snapshot", {"SnapshotIds": None}, "InvalidParameter.SpecifyOneParameter"),
    ("both", {"InstanceId": "ins-12345678"}, "InvalidParameterConflict"),
    ("unknown instance", {"SnapshotIds": None, "InstanceId": "ins-12345678"}, "InvalidInstanceId.NotFound"),
    ("unknown snapshot", {"SnapshotIds": ["snap-nobody01"]}, "InvalidParameter.SnapshotNotFound"),
    ("name taken", {"ImageName": "web-golden"}, "InvalidImageName.Duplicate"),
    ("long name", {"ImageName": "n" * 61}, "InvalidParameterValue.TooLarge"),
    ("long description", {"ImageDescription": "n" * 257}, "InvalidParameterValue.TooLarge"),
    ("no name", {"ImageName": None}, "MissingParameter"),
    ("disks without instance", {"DataDiskIds": ["disk-12345678"]}, "InvalidParameter.InvalidDependence"),
    ("a word for a flag", {"Sysprep": "maybe"}, "InvalidParameterValue"),
]


@pytest.mark.parametrize("change, expected", [one[1:] for one in CREATES], ids=[one[0] for one in CREATES])
def test_the_making_of_an_image_is_refused_by_the_vendors_code(cvm, used, change, expected):
    disk = one(cvm, GOOD).SnapshotSet[0].SnapshotId
    assert code(create, cvm, [disk], **change) == expected
    assert used() == 0


def test_an_image_has_one_system_disk_and_plain_snapshots(cvm):
    disks = {image: [disk.SnapshotId for disk in one(cvm, image).SnapshotSet] for image in (GOOD, DEBIAN, "img-crypted1")}
    assert code(create, cvm, disks[DEBIAN][1:]) == "InvalidParameter.SystemSnapshotNotFound"
    assert code(create, cvm, disks[GOOD] + disks[DEBIAN]) == "InvalidParameter.DuplicateSystemSnapshots"
    assert code(create, cvm, disks["img-crypted1"]) == "UnsupportedOperation.EncryptedImagesNotSupported"


def test_snapshots_go_with_an_image_only_when_they_are_to(cvm, cbs):
    good = [disk.SnapshotId for disk in one(cvm, GOOD).SnapshotSet]
    debian = [disk.SnapshotId for disk in one(cvm, DEBIAN).SnapshotSet]
    delete(cvm, GOOD)
    delete(cvm, DEBIAN, DeleteBindedSnap=True)
    assert describe(cvm, ImageIds=[GOOD, DEBIAN]).TotalCount == 0
    assert list(snapshots(cbs, *good, *debian)) == good
    assert snapshots(cbs, *good)[good[0]].Images == []


DELETES = [
    ("unknown image", ["img-nobody01"], "InvalidImageId.NotFound"),
    ("malformed image", ["ubuntu"], "InvalidImageId.Malformed"),
    ("received image", ["img-shared01"], "InvalidParameterValue.InvalidImageIdIsShared"),
    ("public image", ["img-public01"], "InvalidParameterValue.InvalidImageId"),
    ("being made", ["img-creatng1"], "InvalidImageId.IncorrectState"),
    ("one of several is bad", [GOOD, "img-nobody01"], "InvalidImageId.NotFound"),
    ("51 images", [GOOD] * 51, "InvalidParameterValue.LimitExceeded"),
    ("no image", [], "MissingParameter"),
]


@pytest.mark.parametrize("images, expected", [one[1:] for one in DELETES], ids=[one[0] for one in DELETES])
def test_a_deletion_is_refused_by_the_vendors_code(cvm, used, images, expected):
    assert code(delete, cvm, *images) == expected
    assert used() == 0 and one(cvm, GOOD)


def test_a_shared_image_is_deleted_after_its_shares(cvm):
    share(cvm, GOOD, "100000000002")
    assert code(delete, cvm, GOOD) == "InvalidImageId.InShared"
    assert code(delete, cvm, GOOD, DryRun=True) == "InvalidImageId.InShared"
    share(cvm, GOOD, "100000000002", permission="CANCEL")
    assert delete(cvm, GOOD, DryRun=True).RequestId and one(cvm, GOOD)
    delete(cvm, GOOD)


@pytest.mark.parametrize("kind, expected", [("throttle", "RequestLimitExceeded"), ("server_error", "InternalError")])
def test_every_call_fails_on_order_and_has_no_effect(simulator, cvm, used, kind, expected):
    calls = {
        "SyncImages": lambda: sync(cvm),
        "ModifyImageSharePermission": lambda: share(cvm, GOOD, "100000000002"),
        "DescribeImageSharePermission": lambda: receivers(cvm, GOOD),
        "CreateImage": lambda: create(cvm, ["snap-12345678"]),
        "DeleteImages": lambda: delete(cvm, GOOD),
    }
    for action, call in calls.items():
        simulator.post("faults", cloud="tencent", action=action, kind=kind)
        assert code(call) == expected
    assert used() == 0


def test_a_share_whose_answer_was_lost_is_there(simulator, cvm):
    simulator.post("faults", cloud="tencent", action="ModifyImageSharePermission", kind="answer_lost")
    assert refused(share, cvm, GOOD, "100000000002").get_code() == "ClientNetworkError"
    assert receivers(cvm, GOOD) == ["100000000002"]


def test_a_trial_can_be_told_as_an_error_too(simulator, cvm, account, export, used):
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"dry_run_is_error": True})
    assert code(sync, cvm, DryRun=True) == "DryRunOperation"
    assert code(export, cvm, GOOD, DryRun=True) == "DryRunOperation"
    assert code(delete, cvm, GOOD, DryRun=True) == "DryRunOperation"
    assert used() == 0 and one(cvm, GOOD)


def test_a_copy_may_show_late_and_still_takes_its_name(simulator, client, cvm):
    simulator.post("pace", floor_ms=60_000)
    simulator.post("faults", cloud="tencent", action="SyncImages", kind="late_task", delay_ms=30_000)
    made = sync(cvm).ImageSet[0].ImageId
    shanghai = client(region="ap-shanghai")
    assert describe(shanghai, ImageIds=[made]).TotalCount == 0
    simulator.post("clock", jump_seconds=31)
    assert one(shanghai, made).ImageState == "SYNCING"


def test_an_image_with_an_own_licence_is_not_shared(simulator, cvm, other_account):
    simulator.post("images/change", cloud="tencent", region=HERE, id=GOOD, own_licence=True)
    assert one(cvm, GOOD).LicenseType == "BYOL"
    assert code(share, cvm, GOOD, other_account["account"]) == "FailedOperation.BYOLImageShareFailed"


def test_a_received_image_is_not_encrypted_by_a_copy(cvm, other, other_account):
    share(cvm, GOOD, other_account["account"])
    fields = {"regions": [HERE], "ImageName": "mine", "Encrypt": True}
    assert code(sync, other(), **fields) == "UnsupportedOperation.SyncEncryptImageNotSupport"


def test_lists_come_flattened_in_a_query_too(client, other_account):
    cvm = client(method="GET")
    assert len(sync(cvm, regions=FAR).ImageSet) == 3
    share(cvm, DEBIAN, other_account["account"], "100000000100")
    assert receivers(cvm, DEBIAN) == [other_account["account"], "100000000100"]
