"""The Python SDK of CVM, and of CBS, against the simulator."""

import re

import pytest
from sdk_calls import code, describe, refused
from tencentcloud.cbs.v20170312 import models as cbs_models
from tencentcloud.common import abstract_client
from tencentcloud.cvm.v20170312 import models

GOOD = "img-ubuntu01"
DEBIAN = "img-debian01"


# ---- export ------------------------------------------------------------------------------------------------------


def test_an_export_names_its_objects_and_writes_them_when_it_ends(simulator, cvm, cos, export, golden):
    simulator.post("pace", floor_ms=600_000)
    answer = export(cvm, golden.id, FileNamePrefixList=["nightly"])
    assert isinstance(answer.TaskId, int)
    system, data = answer.CosPaths
    assert re.fullmatch(rf"/nightly_{golden.id}_system_snap-[0-9a-z]{{8}}\.raw", system)
    assert re.fullmatch(rf"/nightly_{golden.id}_data_snap-[0-9a-z]{{8}}\.raw", data)
    bucket = cos()
    assert not bucket.object_exists("sampan-guangzhou-1250000000", system[1:])
    simulator.post("clock", jump_seconds=700)
    for path, source in ((system, golden.system), (data, golden.data)):
        wait = lambda: bucket.object_exists("sampan-guangzhou-1250000000", path[1:])
        simulator.until(wait, path)
        body = bucket.get_object("sampan-guangzhou-1250000000", path[1:])["Body"].get_raw_stream().read()
        assert body == source.read_bytes()


def test_an_export_without_prefix_begins_with_the_image(cvm, export):
    (path,) = export(cvm, GOOD).CosPaths
    assert re.fullmatch(r"/img-ubuntu01_system_snap-[0-9a-z]{8}\.raw", path)


@pytest.mark.parametrize("format", ["RAW", "QCOW2", "VHD", "VMDK"])
def test_the_extension_is_the_format_in_lower_case(cvm, export, golden, format):
    paths = export(cvm, golden.id, ExportFormat=format).CosPaths
    assert all(path.endswith("." + format.lower()) for path in paths)


def test_the_data_disks_can_be_left_out(cvm, export):
    assert len(export(cvm, DEBIAN).CosPaths) == 3
    assert len(export(cvm, GOOD, OnlyExportRootDisk=True).CosPaths) == 1


def test_the_image_stays_normal_while_it_is_exported(simulator, cvm, export):
    simulator.post("pace", floor_ms=60_000)
    export(cvm, GOOD)
    assert describe(cvm, ImageIds=[GOOD]).ImageSet[0].ImageState == "NORMAL"
    assert code(export, cvm, GOOD) == "InvalidParameterValue.InvalidImageState"
    assert code(export, cvm, GOOD, DryRun=True) == "InvalidParameterValue.InvalidImageState"


def test_a_dry_run_starts_and_spends_nothing(simulator, cvm, account, export):
    answer = export(cvm, GOOD, DryRun=True)
    assert answer.TaskId is None and answer.RequestId
    assert simulator.get("tasks")["tasks"] == []
    quota = simulator.get(f"quota?cloud=tencent&account={account['account']}&region=ap-guangzhou")
    assert quota["used"] == 0


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("img-windows1", "UnsupportedOperation.WindowsImageExportUnsupported"),
        ("img-market01", "UnsupportedOperation.MarketImageExportUnsupported"),
        ("img-crypted1", "UnsupportedOperation.EncryptedImagesNotSupported"),
        ("img-redhat01", "UnsupportedOperation.RedHatImageExportUnsupported"),
        ("img-shared01", "UnsupportedOperation.SharedImageExportUnsupported"),
        ("img-public01", "UnsupportedOperation.PublicImageExportUnsupported"),
        ("img-biggest1", "UnsupportedOperation.ImageTooLargeExportUnsupported"),
        ("img-sixdata1", "InvalidParameterValue.InvalidImageId"),
        ("img-creatng1", "InvalidParameterValue.InvalidImageState"),
        ("img-second01", "InvalidImageId.NotFound"),
        ("img-nobody01", "InvalidImageId.NotFound"),
        ("img-shangha1", "InvalidImageId.NotFound"),
        ("m-bp1sampanubuntu00001", "InvalidImageId.Malformed"),
        ("img-", "InvalidImageId.Malformed"),
    ],
)
def test_an_image_that_cannot_be_exported_gets_its_own_code(simulator, cvm, export, image, expected):
    assert code(export, cvm, image) == expected
    (line,) = simulator.audit(action="ExportImages")
    assert (line["outcome"], line["mutating"], line["image"]) == (expected, True, image)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"BucketName": "sampan-shanghai-1250000000"}, "InvalidParameterValue.BucketNotFound"),
        ({"BucketName": "sampan-nowhere-1250000000"}, "InvalidParameterValue.BucketNotFound"),
        ({"BucketName": "sampan-other-1250000001"}, "InvalidParameterValue.BucketNotFound"),
        ({"BucketName": "sampan-readonly-1250000000"}, "InvalidParameterValue.InvalidBucketPermissionForExport"),
        ({"BucketName": None}, "MissingParameter"),
        ({"RoleName": "NobodyRole"}, "AuthFailure.CamRoleNameAuthenticateFailed"),
        ({"ExportFormat": "VDI"}, "InvalidParameterValue"),
        ({"ExportFormat": "raw"}, "InvalidParameterValue"),
        ({"FileNamePrefixList": ["a", "b"]}, "InvalidParameterValue.InvalidFileNamePrefixList"),
        ({"DryRun": "yes"}, "InvalidParameter"),
    ],
)
def test_a_parameter_that_does_not_fit_gets_its_own_code(cvm, export, fields, expected):
    assert code(export, cvm, GOOD, **fields) == expected


def test_no_image_at_all_is_a_contradiction(cvm, export):
    assert code(export, cvm) == "InvalidParameter.ImageIdsSnapshotIdsMustOne"


def test_a_parameter_that_does_not_exist_is_named(cvm):
    body = {"BucketName": "b-1250000000", "ImageIds": [GOOD], "Bucket": "b"}
    error = refused(cvm.call_json, "ExportImages", body)
    assert error.get_code() == "UnknownParameter"
    assert "Bucket" in error.get_message()


# ---- what an account may do ----------------------------------------------------------------------------------------


def test_a_full_task_list_refuses_the_next_export(simulator, cvm, account, export):
    simulator.post("pace", floor_ms=600_000)
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"running_exports": 1})
    export(cvm, GOOD)
    assert code(export, cvm, DEBIAN) == "LimitExceeded.ExportImageTaskLimitExceeded"
    simulator.post("clock", jump_seconds=601)
    wait = lambda: all(task["status"] == "finished" for task in simulator.get("tasks")["tasks"])
    simulator.until(wait, "the first export")
    assert export(cvm, DEBIAN).TaskId


def test_the_sixth_operation_of_the_day_is_refused_until_midnight(simulator, cvm, account, export):
    simulator.post("console", cloud="tencent", account=account["account"], region="ap-guangzhou", n=4)
    export(cvm, GOOD)
    assert code(export, cvm, DEBIAN) == "LimitExceeded"
    elsewhere = simulator.get(f"quota?cloud=tencent&account={account['account']}&region=ap-shanghai")
    assert elsewhere["used"] == 0
    simulator.post("clock", next_quota_day=True)
    assert export(cvm, DEBIAN).TaskId


def test_a_refused_export_spends_nothing(simulator, cvm, account, export):
    for _ in range(7):
        assert code(export, cvm, "img-windows1").startswith("UnsupportedOperation")
    quota = simulator.get(f"quota?cloud=tencent&account={account['account']}&region=ap-guangzhou")
    assert quota["used"] == 0


# ---- images --------------------------------------------------------------------------------------------------------


def test_images_say_what_they_are(cvm, golden):
    answer = describe(cvm, ImageIds=[golden.id])
    assert answer.TotalCount == 1
    (image,) = answer.ImageSet
    assert (image.ImageType, image.ImageState, image.ImageSource) == ("PRIVATE_IMAGE", "NORMAL", "CREATE_IMAGE")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", image.CreatedTime)
    assert [disk.DiskUsage for disk in image.SnapshotSet] == ["SYSTEM_DISK", "DATA_DISK"]
    assert all(isinstance(disk.DiskSize, int) for disk in image.SnapshotSet)


def test_pages_together_hold_every_image_once(cvm):
    whole = describe(cvm, Limit=100)
    assert whole.TotalCount == len(whole.ImageSet) > 4
    seen = []
    for offset in range(0, whole.TotalCount, 3):
        page = describe(cvm, Offset=offset, Limit=3)
        assert page.TotalCount == whole.TotalCount
        seen += [image.ImageId for image in page.ImageSet]
    assert seen == [image.ImageId for image in whole.ImageSet]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_filters_are_and_between_and_or_within(client, method):
    cvm = client(method=method)
    kinds = describe(cvm, filters={"image-type": ["PUBLIC_IMAGE", "SHARED_IMAGE"]}, Limit=100).ImageSet
    assert {image.ImageType for image in kinds} == {"PUBLIC_IMAGE", "SHARED_IMAGE"}
    both = describe(cvm, filters={"image-type": ["PRIVATE_IMAGE"], "image-name": ["golden"], "platform": ["deb"]})
    assert [image.ImageId for image in both.ImageSet] == [DEBIAN]


def test_an_id_that_nobody_has_is_an_empty_answer(cvm):
    answer = describe(cvm, ImageIds=["img-nobody01"])
    assert (answer.TotalCount, answer.ImageSet) == (0, [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ImageIds": [GOOD], "filters": {"image-id": [GOOD]}}, "InvalidParameter.InvalidParameterCoexistImageIdsFilters"),
        ({"ImageIds": ["ubuntu"]}, "InvalidImageId.Malformed"),
        ({"filters": {"colour": ["red"]}}, "InvalidFilter"),
        ({"filters": {"image-id": [GOOD] * 6}}, "InvalidFilterValue.LimitExceeded"),
        ({"Limit": 101}, "InvalidParameterValue.InvalidParameterValueLimit"),
        ({"Offset": -1}, "InvalidParameter"),
        ({"InstanceType": "huge"}, "InvalidInstanceType.Malformed"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(cvm, fields, expected):
    assert code(describe, cvm, **fields) == expected


def test_the_quota_is_the_ceiling_of_the_region(simulator, cvm, account):
    simulator.post("limits", cloud="tencent", account=account["account"], limits={"images_per_region": 20})
    assert cvm.DescribeImageQuota(models.DescribeImageQuotaRequest()).ImageNumQuota == 20


def test_snapshots_tell_what_images_do_not(cvm, cbs):
    def encrypted(image):
        request = cbs_models.DescribeSnapshotsRequest()
        request.SnapshotIds = [disk.SnapshotId for disk in describe(cvm, ImageIds=[image]).ImageSet[0].SnapshotSet]
        answer = cbs.DescribeSnapshots(request)
        assert answer.TotalCount == len(request.SnapshotIds)
        assert {snapshot.SnapshotState for snapshot in answer.SnapshotSet} == {"NORMAL"}
        return {snapshot.Encrypt for snapshot in answer.SnapshotSet}

    assert encrypted("img-crypted1") == {True}
    assert encrypted(DEBIAN) == {False}


# ---- signatures and envelopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"secret_key": "another"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "AKIDnobody"}, "AuthFailure.SecretIdNotFound"),
        ({"token": "stray"}, "AuthFailure.TokenFailure"),
        ({"signMethod": "HmacSHA256"}, "AuthFailure.SignatureFailure"),
        ({"signMethod": "HmacSHA1", "method": "GET"}, "AuthFailure.SignatureFailure"),
        ({"region": "ap-nowhere"}, "UnsupportedRegion"),
        ({"region": ""}, "MissingParameter"),
    ],
)
@pytest.mark.parametrize("ask", [describe])
def test_a_caller_that_does_not_prove_itself_is_refused(client, ask, keys, expected):
    assert code(ask, client(**keys)) == expected


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_clock_that_is_wrong_by_more_than_five_minutes_is_refused(cvm, monkeypatch, seconds):
    true_time = abstract_client.time.time
    monkeypatch.setattr(abstract_client.time, "time", lambda: true_time() + seconds * 1.01)
    assert code(describe, cvm) == "AuthFailure.SignatureExpire"


def test_a_clock_that_is_wrong_by_four_minutes_is_tolerated(cvm, monkeypatch):
    true_time = abstract_client.time.time
    monkeypatch.setattr(abstract_client.time, "time", lambda: true_time() - 240)
    assert describe(cvm).TotalCount


def test_a_token_comes_with_its_key(simulator, client):
    keys = {"secret_id": "AKIDtemporary", "secret_key": "temporary"}
    simulator.post("accounts", cloud="tencent", account="100000000009", app_id="1250000009", token="TKN/+=", **keys)
    assert describe(client(token="TKN/+=", **keys)).RequestId
    assert code(describe, client(**keys)) == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("profile", [{"unsignedPayload": True}, {"method": "GET"}, {"language": "en-US"}])
def test_every_way_of_signing_works(client, profile):
    assert describe(client(**profile), Limit=1).TotalCount


def test_an_action_that_does_not_exist_is_refused(cvm, cbs):
    assert refused(cvm.call_json, "ExportImage", {}).get_code() == "InvalidAction"
    assert refused(cbs.call_json, "DescribeImages", {}).get_code() == "InvalidAction"


def test_a_version_that_does_not_exist_is_refused(cvm):
    cvm._apiVersion = "2016-01-01"
    assert refused(describe, cvm).get_code() == "NoSuchVersion"


def test_errors_come_with_status_200_and_exactly_this_content_type(simulator):
    for method in ("GET", "POST"):
        status, headers, body = simulator.raw("cvm", method, "/", {"Host": "cvm.tencentcloudapi.com"})
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert b'"RequestId"' in body and b"AuthFailure.InvalidAuthorization" in body
    status, _, body = simulator.raw("cvm", "PUT", "/", {"Host": "cvm.tencentcloudapi.com"})
    assert status == 200 and b"UnsupportedProtocol" in body


# ---- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "expected"), [("throttle", "RequestLimitExceeded"), ("server_error", "InternalError")])
def test_an_ordered_fault_comes_as_often_as_ordered(simulator, cvm, kind, expected):
    simulator.post("faults", cloud="tencent", action="DescribeImages", kind=kind, times=2)
    assert [code(describe, cvm), code(describe, cvm)] == [expected, expected]
    assert describe(cvm).TotalCount


def test_a_reset_does_nothing_and_a_lost_answer_did_it(simulator, cvm, export):
    simulator.post("faults", cloud="tencent", action="ExportImages", kind="reset")
    assert refused(export, cvm, GOOD).get_code() == "ClientNetworkError"
    assert simulator.get("tasks")["tasks"] == []
    simulator.post("faults", cloud="tencent", action="ExportImages", kind="answer_lost")
    assert refused(export, cvm, GOOD).get_code() == "ClientNetworkError"
    (task,) = simulator.get("tasks")["tasks"]
    assert task["image_ids"] == [GOOD]
    assert [line["outcome"] for line in simulator.audit(action="ExportImages")] == ["reset", "lost"]


def test_a_task_that_fails_leaves_its_objects_out_and_tells_nobody(simulator, cvm, cos, export):
    simulator.post("faults", cloud="tencent", action="ExportImages", kind="fail_task")
    (path,) = export(cvm, GOOD).CosPaths
    simulator.post("clock", jump_seconds=86_400)
    (task,) = simulator.get("tasks")["tasks"]
    assert task["status"] == "failed"
    assert not cos().object_exists("sampan-guangzhou-1250000000", path[1:])
    assert describe(cvm, ImageIds=[GOOD]).ImageSet[0].ImageState == "NORMAL"


def test_a_request_that_is_too_big_is_refused(client):
    assert code(describe, client(method="GET"), InstanceType="x" * 33_000) == "RequestSizeLimitExceeded"


def test_the_audit_has_the_request_id_that_the_caller_saw(simulator, cvm, export):
    answer = export(cvm, GOOD)
    (line,) = simulator.audit(action="ExportImages")
    assert (line["request_id"], line["outcome"], line["mutating"]) == (answer.RequestId, "ok", True)
    assert (line["region"], line["bucket"]) == ("ap-guangzhou", "sampan-guangzhou-1250000000")
