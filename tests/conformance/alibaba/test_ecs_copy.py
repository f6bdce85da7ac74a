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


def test_a_repeated_token_copies_once(ecs, simulator):
    first = copy(ecs, ClientToken="token-1")
    assert copy(ecs, ClientToken="token-1") == first
    refusal = ecs.refusal("CopyImage", **(GOOD | {"ClientToken": "token-1", "DestinationImageName": "another"}))
    assert (refusal.code, refusal.status) == ("IdempotentParameterMismatch", 400)
    ready(simulator, ecs, first)
    assert copy(ecs, ClientToken="token-1") == first
    assert ecs.call("DescribeImages", RegionId=FAR, Status=EVERY_STATUS, ImageOwnerAlias="self")["TotalCount"] == 1


def test_one_image_is_copied_once_at_a_time_and_the_others_wait_for_nobody(tea, simulator):
    simulator.post("pace", floor_ms=100_000)
    copy(tea)
    refusal = tea.refusal("CopyImage", **(GOOD | {"DestinationRegionId": "cn-beijing"}))
    assert (refusal.code, refusal.status) == ("OperationDenied.ImageCopyConflict", 400)
    deletion = tea.refusal("DeleteImage", RegionId=REGION, ImageId=image("ubuntu"), Force=True)
    assert (deletion.code, deletion.status) == ("OperationDenied.ImageCopying", 403)
    others = [image(word) for word in ("debian", "windows", "market", "redhat", "sixdata")]
    made = [copy(tea, ImageId=other, DestinationImageName=f"c-{n}") for n, other in enumerate(others)]
    assert [find(tea, one)["Status"] for one in made] == ["Creating"] * 4 + ["Waiting"]


def test_a_copy_goes_to_twenty_regions_one_after_the_other(tea, simulator):
    every = [one["RegionId"] for one in tea.call("DescribeRegions")["Regions"]["Region"] if one["RegionId"] != REGION]
    assert len(every) >= 20
    simulator.post("pace", floor_ms=10)
    for region in every[:20]:
        made = copy(tea, DestinationRegionId=region)
        ready(simulator, tea, made, region)


def test_group_tags_and_texts_are_those_of_the_call(ecs, simulator, account):
    group = account["resource_groups"][0]
    made = copy(ecs, ResourceGroupId=group, DestinationDescription="a copy", Tag=tags(ecs, team="images", k=""))
    told = ready(simulator, ecs, made)
    assert (told["ResourceGroupId"], told["Description"]) == (group, "a copy")
    assert told["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "images"}, {"TagKey": "k", "TagValue": ""}]}
    assert (told["Platform"], told["OSType"], told["ProductCode"]) == ("Ubuntu", "linux", "")


def tags(ecs, **pairs):
    """Tags as each client wants them."""
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


COPIES = [
    ("unknown image", {"ImageId": "m-bp1doesnotexist00001"}, "InvalidImageId.NotFound", 404),
    ("another account's image", {"ImageId": image("second")}, "InvalidImageId.NotFound", 404),
    ("public image", {"ImageId": image("public")}, "InvalidImageId.NotFound", 404),
    ("received image to another region", {"ImageId": image("shared")}, "OperationDenied.SameRegionOnly", 403),
    ("being made", {"ImageId": image("creatng")}, "IncorrectImageStatus", 400),
    ("encrypted to plain", {"ImageId": image("crypted")}, "OperationDeined.EncryptedSnapshot", 403),
    ("over 2 TiB", {"ImageId": image("hugeone")}, "SizeExceed.Image", 403),
    ("unknown source", {"RegionId": "cn-nowhere"}, "SourceRegion.NotFound", 400),
    ("unknown destination", {"DestinationRegionId": "cn-nowhere"}, "DestinationRegion.NotFound", 400),
    ("own region", {"DestinationRegionId": REGION}, "IncorrectDestinationRegion", 403),
    ("no destination", {"DestinationRegionId": None}, "IncorrectDestinationRegion", 403),
    ("name of one letter", {"DestinationImageName": "a"}, "InvalidImageName.Malformed", 400),
    ("name that begins with a digit", {"DestinationImageName": "1web"}, "InvalidImageName.Malformed", 400),
    ("reserved name", {"DestinationImageName": "aliyun-web"}, "InvalidImageName.Malformed", 400),
    ("description that is a URL", {"DestinationDescription": "http://x"}, "InvalidDescription.Malformed", 400),
    ("key without encryption", {"KMSKeyId": "k"}, "InvalidEncrypted.NotMatchKmsKeyId", 400),
    ("encryption across regions", {"Encrypted": True}, "OperationDenied.EncryptSnapshotAcrossRegion", 403),
    ("unknown key", {"DestinationRegionId": REGION, "Encrypted": True, "KMSKeyId": "k"},
     "InvalidParameter.KMSKeyId.NotFound", 404),
    ("key that is off", {"DestinationRegionId": REGION, "Encrypted": True,
     "KMSKeyId": "c0ffee00-0000-4000-8000-000000000002"}, "InvalidParameter.KMSKeyId.CMKNotEnabled", 403),
    ("unknown group", {"ResourceGroupId": "rg-nobody"}, "InvalidResourceGroup.NotFound", 404),
    ("token of 65 letters", {"ClientToken": "t" * 65}, "InvalidClientToken.Malformed", 400),
    ("reserved tag", {"Tag": [{"Key": "acs:x", "Value": "y"}]}, "InvalidTagKey.Malformed", 400),
    ("tag twice", {"Tag": [{"Key": "x", "Value": "y"}] * 2}, "Duplicate.TagKey", 400),
    ("no image", {"ImageId": None}, "MissingParameter", 400),
    ("trial", {"DryRun": True}, "DryRunOperation", 400),
]


@pytest.mark.parametrize("change, code, status", [one[1:] for one in COPIES], ids=[one[0] for one in COPIES])
def test_a_copy_is_refused_by_the_vendors_code(ecs, change, code, status):
    refusal = ecs.refusal("CopyImage", **(GOOD | change))
    assert (refusal.code, refusal.status) == (code, status)
    assert ecs.call("DescribeImages", RegionId=FAR, Status=EVERY_STATUS, ImageOwnerAlias="self")["TotalCount"] == 0


def test_a_name_that_is_taken_is_refused(ecs, simulator):
    ready(simulator, ecs, copy(ecs))
    refusal = ecs.refusal("CopyImage", **GOOD)
    assert (refusal.code, refusal.status) == ("InvalidImageName.Duplicated", 400)
    assert "The destination image is exist." in refusal.message


def test_limits_of_the_account_have_their_own_codes(tea, simulator, account):
    def limited(**limits):
        simulator.post("limits", cloud="alibaba", account=account["account"], limits=limits)
        return tea.refusal("CopyImage", **GOOD)

    for limits, code, status in (
        ({"images_per_region": 0}, "QuotaExceed.Image", 403),
        ({"images_per_region": 9, "snapshots_per_region": 0}, "QuotaExceed.Snapshot", 403),
        ({"snapshots_per_region": None, "copy_regions": ["cn-beijing"]}, "RegionNotSupportCopy", 403),
    ):
        refusal = limited(**limits)
        assert (refusal.code, refusal.status) == (code, status)
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"kms_enabled": False})
    encrypting = GOOD | {"DestinationRegionId": REGION, "Encrypted": True}
    assert tea.refusal("CopyImage", **encrypting).code == "InvalidParameter.KmsNotEnabled"


def test_encryption_is_changed_by_a_copy_within_the_region(ecs, simulator, account):
    key = account["kms_keys"][0]["id"]
    made = copy(ecs, DestinationRegionId=REGION, Encrypted=True, KMSKeyId=key)
    told = ready(simulator, ecs, made, REGION)
    (disk,) = told["DiskDeviceMappings"]["DiskDeviceMapping"]
    asked = ecs.call("DescribeSnapshots", RegionId=REGION, SnapshotIds=json.dumps([disk["SnapshotId"]]))
    (snapshot,) = asked["Snapshots"]["Snapshot"]
    assert (snapshot["Encrypted"], snapshot["KMSKeyId"], snapshot["SourceRegionId"]) == (True, key, "")
    # Encrypted as it is now, it crosses regions, and stays encrypted.
    assert ecs.refusal("CopyImage", **(GOOD | {"ImageId": made})).code == "OperationDeined.EncryptedSnapshot"
    assert copy(ecs, ImageId=made, Encrypted=True, KMSKeyId=key)


# ---- how a copy ends ---------------------------------------------------------------------------------------------


def test_a_copy_that_the_cloud_gives_up_is_create_failed_and_keeps_its_name(ecs, simulator):
    simulator.post("faults", cloud="alibaba", action="CopyImage", kind="fail_task", region=FAR)
    made = copy(ecs)
    simulator.until(lambda: find(ecs, made)["Status"] == "CreateFailed", "the failure")
    assert ecs.refusal("CopyImage", **GOOD).code == "InvalidImageName.Duplicated"
    late = ecs.refusal("CancelCopyImage", RegionId=FAR, ImageId=made)
    assert (late.code, late.status) == ("IncorrectImageStatus", 400)
    ecs.call("DeleteImage", RegionId=FAR, ImageId=made)
    assert copy(ecs)


def test_a_copy_that_stalls_can_be_cancelled_and_one_that_vanishes_is_gone(tea, simulator):
    for region, kind in ((FAR, "stall_task"), ("cn-beijing", "vanish_task")):
        simulator.post("faults", cloud="alibaba", action="CopyImage", kind=kind, region=region)
    stalled = copy(tea)
    simulator.post("clock", jump_seconds=86_400)
    assert (find(tea, stalled)["Status"], find(tea, stalled)["Progress"]) == ("Creating", "50%")
    tea.call("CancelCopyImage", RegionId=FAR, ImageId=stalled)
    vanished = copy(tea, DestinationRegionId="cn-beijing")
    simulator.until(lambda: find(tea, vanished, "cn-beijing") is None, "the end")


CANCELS = [
    ("not a copy", {"RegionId": REGION, "ImageId": image("ubuntu")}, "ImageCreatedNotFromCopy", 400),
    ("unknown image", {"RegionId": REGION, "ImageId": "m-bp1doesnotexist00001"}, "InvalidImageId.NotFound", 404),
    ("unknown region", {"RegionId": "cn-nowhere", "ImageId": image("ubuntu")}, "InvalidRegionId.NotFound", 404),
    ("received image", {"RegionId": REGION, "ImageId": image("shared")}, "InvalidImageId.NotFound", 404),
]


@pytest.mark.parametrize("call, code, status", [one[1:] for one in CANCELS], ids=[one[0] for one in CANCELS])
def test_a_cancel_is_refused_by_the_vendors_code(ecs, call, code, status):
    refusal = ecs.refusal("CancelCopyImage", **call)
    assert (refusal.code, refusal.status) == (code, status)


def test_a_finished_copy_and_one_that_cannot_be_are_not_cancelled(tea, simulator, account):
    done = copy(tea)
    ready(simulator, tea, done)
    assert tea.refusal("CancelCopyImage", RegionId=FAR, ImageId=done).code == "IncorrectImageStatus"
    simulator.post("pace", floor_ms=100_000)
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"cancel_copies": False})
    made = copy(tea, DestinationImageName="uncancelled")
    assert tea.refusal("CancelCopyImage", RegionId=FAR, ImageId=made).code == "CancelNotSupported"


def test_a_lost_answer_of_a_copy_has_had_its_effect(tea, simulator):
    simulator.post("faults", cloud="alibaba", action="CopyImage", kind="answer_lost")
    with pytest.raises(Exception, match="(?i)connection|remote|closed|aborted"):
        copy(tea, ClientToken="token-1")
    told = tea.call("DescribeImages", RegionId=FAR, ImageName="web-copy", Status=EVERY_STATUS)["Images"]["Image"]
    assert [one["IsCopied"] for one in told] == [True]
    assert copy(tea, ClientToken="token-1") == told[0]["ImageId"]
    (lost, _) = simulator.audit(action="CopyImage")
    assert (lost["outcome"], lost["mutating"], lost["destinations"]) == ("lost", True, [FAR])


# ---- images of any size: by their snapshots ----------------------------------------------------------------------


def disks(ecs, image_id, region=REGION):
    (told,) = ecs.call("DescribeImages", RegionId=region, ImageId=image_id)["Images"]["Image"]
    return told["DiskDeviceMappings"]["DiskDeviceMapping"]


def copy_snapshot(ecs, snapshot, **change):
    texts = {"DestinationSnapshotName": "copied", "DestinationSnapshotDescription": "by hand"}
    parameters = {"RegionId": REGION, "SnapshotId": snapshot, "DestinationRegionId": FAR} | texts | change
    return ecs.call("CopySnapshot", **parameters)["SnapshotId"]


def snapshots(ecs, *ids, region=FAR):
    answer = ecs.call("DescribeSnapshots", RegionId=region, SnapshotIds=json.dumps(ids), MaxResults=100)
    return {one["SnapshotId"]: one for one in answer["Snapshots"]["Snapshot"]}


def mappings(ecs, pairs):
    """DiskDeviceMapping as each client wants it."""
    return [{"DiskType": kind, "SnapshotId": snapshot} | more for kind, snapshot, more in pairs]


def test_an_image_over_two_tebibytes_is_copied_by_its_snapshots(ecs, simulator):
    simulator.post("pace", floor_ms=50)
    source = disks(ecs, image("hugeone"))
    assert sum(int(disk["Size"]) for disk in source) > 2048
    made = [copy_snapshot(ecs, disk["SnapshotId"], ClientToken=disk["SnapshotId"]) for disk in source]
    done = lambda: all(one["Status"] == "accomplished" for one in snapshots(ecs, *made).values())
    simulator.until(done, "the snapshots")
    told = snapshots(ecs, *made)[made[1]]
    assert (told["SourceRegionId"], told["SourceSnapshotId"], told["Progress"]) == (REGION, source[1]["SnapshotId"], "100%")
    wanted = mappings(ecs, [("system", made[0], {}), ("data", made[1], {"Device": "/dev/xvdb"})])
    create = {"RegionId": FAR, "ImageName": "archive", "DiskDeviceMapping": wanted}
    refusal = ecs.refusal("CreateImage", **create)
    assert (refusal.code, refusal.status) == ("MissingParameter", 400)
    create |= {"Platform": "Ubuntu", "Architecture": "x86_64", "ClientToken": "make-1"}
    rebuilt = ecs.call("CreateImage", **create)["ImageId"]
    assert ecs.call("CreateImage", **create)["ImageId"] == rebuilt
    mismatch = ecs.refusal("CreateImage", **(create | {"ImageName": "other"}))
    assert (mismatch.code, mismatch.status) == ("IdempotenceParamNotMatch", 400)
    told = ready(simulator, ecs, rebuilt)
    assert [disk["Size"] for disk in told["DiskDeviceMappings"]["DiskDeviceMapping"]] == ["40", "2100"]
    assert (told["Platform"], told["IsCopied"]) == ("Ubuntu", False)


SNAPSHOTS = [
    ("same region", {"DestinationRegionId": REGION}, "InvalidOperation.NotSupportCopyInSameRegion"),
    ("unknown region", {"DestinationRegionId": "cn-nowhere"}, "InvalidRegionId.NotExists"),
    ("unknown snapshot", {"SnapshotId": "s-bp1doesnotexist00001"}, "InvalidSnapshotId.NotFound"),
    ("short name", {"DestinationSnapshotName": "a"}, "InvalidSnapshotName.Malformed"),
    ("description that is a URL", {"DestinationSnapshotDescription": "https://x"}, "InvalidDescription.Malformed"),
    ("retention of no days", {"RetentionDays": 65537}, "InvalidRetentionDays.Malformed"),
    ("key without encryption", {"KMSKeyId": "k"}, "InvalidEncrypted.NotMatchKmsKeyId"),
]


@pytest.mark.parametrize("change, code", [one[1:] for one in SNAPSHOTS], ids=[one[0] for one in SNAPSHOTS])
def test_a_copy_of_a_snapshot_is_refused_by_the_vendors_code(ecs, change, code):
    good = disks(ecs, image("ubuntu"))[0]["SnapshotId"]
    texts = {"DestinationSnapshotName": "copied", "DestinationSnapshotDescription": "by hand"}
    call = {"RegionId": REGION, "SnapshotId": good, "DestinationRegionId": FAR} | texts | change
    refusal = ecs.refusal("CopySnapshot", **call)
    assert (refusal.code, refusal.status) == (code, 403)


def test_a_snapshot_has_a_name_a_description_and_one_copy_to_a_region_at_a_time(tea, simulator):
    good = disks(tea, image("ubuntu"))[0]["SnapshotId"]
    encrypted = disks(tea, image("crypted"))[0]["SnapshotId"]
    call = {"RegionId": REGION, "SnapshotId": good, "DestinationRegionId": FAR, "DestinationSnapshotName": "copied"}
    assert tea.refusal("CopySnapshot", **call).code == "MissingParameter"
    call["DestinationSnapshotDescription"] = "by hand"
    simulator.post("pace", floor_ms=100_000)
    made = tea.call("CopySnapshot", **call)["SnapshotId"]
    assert snapshots(tea, made)[made]["Status"] == "progressing"
    assert tea.refusal("CopySnapshot", **call).code == "InvalidOperation.UnfinishedCrossRegionCopy"
    assert tea.refusal("CopySnapshot", **(call | {"SnapshotId": encrypted})).code == "InvalidEncrypted.NotSupportDecrypt"
    assert copy_snapshot(tea, good, DestinationRegionId="cn-beijing")
    early = mappings(tea, [("system", made, {})])
    create = {"RegionId": FAR, "ImageName": "early", "DiskDeviceMapping": early}
    refusal = tea.refusal("CreateImage", **create)
    assert (refusal.code, refusal.status) == ("InvalidSnapshotId.NotReady", 403)
    # A copy that is deleted is given up.
    tea.call("DeleteSnapshot", SnapshotId=made)
    assert snapshots(tea, made) == {}
    assert tea.call("CopySnapshot", **call)["SnapshotId"] != made


def test_snapshots_outlive_their_image_and_cannot_go_before_it(ecs):
    (disk,) = disks(ecs, image("ubuntu"))
    snapshot = disk["SnapshotId"]
    refusal = ecs.refusal("DeleteSnapshot", SnapshotId=snapshot)
    assert (refusal.code, refusal.status) == ("SnapshotCreatedImage", 403)
    ecs.call("DeleteImage", RegionId=REGION, ImageId=image("ubuntu"))
    assert snapshots(ecs, snapshot, region=REGION)[snapshot]["Usage"] == "none"
    for _ in range(2):
        ecs.call("DeleteSnapshot", SnapshotId=snapshot)
    assert snapshots(ecs, snapshot, region=REGION) == {}


def test_an_image_is_made_of_one_snapshot_of_a_system_disk(tea, simulator):
    system, data, _ = (disk["SnapshotId"] for disk in disks(tea, image("debian")))
    made = tea.call("CreateImage", RegionId=REGION, ImageName="small", SnapshotId=system)["ImageId"]
    assert len(ready(simulator, tea, made, REGION)["DiskDeviceMappings"]["DiskDeviceMapping"]) == 1
    crypted = disks(tea, image("crypted"))[0]["SnapshotId"]
    for change, code, status in (
        ({}, "InvalidParameter.AllEmpty", 400),
        ({"InstanceId": "i-bp1"}, "InvalidInstanceId.NotFound", 404),
        ({"SnapshotId": "s-bp1doesnotexist00001"}, "InvalidSnapshotId.NotFound", 404),
        ({"SnapshotId": data}, "OperationDenied", 400),
        ({"SnapshotId": crypted}, "OperationDenied", 400),
        ({"SnapshotId": system, "ImageName": "small"}, "InvalidImageName.Duplicated", 400),
        ({"SnapshotId": system, "ImageName": "1"}, "InvalidImageName.Malformed", 400),
        ({"SnapshotId": system, "Platform": "BeOS"}, "InvalidPlatform.Malformed", 400),
        ({"SnapshotId": system, "Architecture": "mips"}, "InvalidArchitecture.Malformed", 400),
        ({"SnapshotId": system, "BootMode": "tape"}, "InvalidBootMode.NotSupport", 400),
        ({"DiskDeviceMapping": mappings(tea, [("system", system, {}), ("system", data, {})])}, "OperationDenied", 400),
        ({"DiskDeviceMapping": mappings(tea, [("disc", system, {})])}, "InvalidDiskType.ValueNotSupported", 400),
        ({"DiskDeviceMapping": mappings(tea, [("system", system, {"Size": 1})])}, "InvalidSize.ValueNotSupported", 400),
        ({"DiskDeviceMapping": mappings(tea, [("system", system, {"Device": "/dev/sda"})])}, "InvalidDevice.Malformed", 400),
        (
            {"DiskDeviceMapping": mappings(tea, [("data", one, {"Device": "/dev/xvdb"}) for one in (system, data)])},
            "InvalidDevice.InUse",
            400,
        ),
        ({"SnapshotId": system, "DryRun": True, "ImageName": "trial"}, "DryRunOperation", 400),
    ):
        refusal = tea.refusal("CreateImage", **({"RegionId": REGION, "ImageName": "new"} | change))
        assert (refusal.code, refusal.status) == (code, status), change


DELETES = [
    ("unknown image", {"ImageId": "m-bp1doesnotexist00001"}, "InvalidImageId.NotFound", 404),
    ("received image", {"ImageId": image("shared")}, "InvalidImageId.NotFound", 404),
    ("public image", {"ImageId": image("public")}, "InvalidImageId.NotFound", 404),
    ("trial", {"ImageId": image("ubuntu"), "DryRun": True}, "DryRunOperation", 400),
]


@pytest.mark.parametrize("change, code, status", [one[1:] for one in DELETES], ids=[one[0] for one in DELETES])
def test_a_deletion_is_refused_by_the_vendors_code(tea, change, code, status):
    refusal = tea.refusal("DeleteImage", RegionId=REGION, **change)
    assert (refusal.code, refusal.status) == (code, status)
    assert find(tea, image("ubuntu"), REGION)


def test_an_image_that_machines_run_from_is_deleted_by_force_only(tea, simulator):
    simulator.post("images/change", cloud="alibaba", region=REGION, id=image("ubuntu"), in_use=True)
    refusal = tea.refusal("DeleteImage", RegionId=REGION, ImageId=image("ubuntu"))
    assert (refusal.code, refusal.status) == ("ImageUsingByInstance", 403)
    tea.call("DeleteImage", RegionId=REGION, ImageId=image("ubuntu"), Force=True)


def test_an_exporting_image_is_not_deleted(tea, simulator):
    simulator.post("pace", floor_ms=60_000)
    tea.call("ExportImage", RegionId=REGION, ImageId=image("ubuntu"), OSSBucket="sampan-hangzhou")
    refusal = tea.refusal("DeleteImage", RegionId=REGION, ImageId=image("ubuntu"))
    assert (refusal.code, refusal.status) == ("ImageIsExporting", 403)


@pytest.mark.parametrize(
    "kind, code, status", [("throttle", "Throttling.User", 400), ("server_error", "InternalError", 500)]
)
def test_every_call_fails_on_order_and_has_no_effect(tea, simulator, kind, code, status):
    far = {"DestinationRegionId": FAR}
    calls = {
        "CopyImage": GOOD,
        "CancelCopyImage": {"RegionId": FAR, "ImageId": image("ubuntu")},
        "CreateImage": {"RegionId": REGION, "SnapshotId": "s-1"},
        "CopySnapshot": {"RegionId": REGION, "SnapshotId": "s-1"} | far,
        "DeleteImage": {"RegionId": REGION, "ImageId": image("ubuntu")},
        "DeleteSnapshot": {"SnapshotId": "s-1"},
        "ModifyImageSharePermission": {"RegionId": REGION, "ImageId": image("ubuntu"), "AddAccount": ["1"]},
        "DescribeImageSharePermission": {"RegionId": REGION, "ImageId": image("ubuntu")},
        "DescribeRegions": {},
    }
    before = simulator.get("images"), simulator.get("snapshots"), simulator.get("shares")
    for action, call in calls.items():
        simulator.post("faults", cloud="alibaba", action=action, kind=kind)
        refusal = tea.refusal(action, **call)
        assert (refusal.code, refusal.status) == (code, status)
    assert (simulator.get("images"), simulator.get("snapshots"), simulator.get("shares")) == before


def test_a_large_image_is_copied_as_a_whole_within_its_region(tea, simulator):
    made = copy(tea, ImageId=image("hugeone"), DestinationRegionId=REGION, Encrypted=True)
    assert ready(simulator, tea, made, REGION)["IsCopied"] is True
