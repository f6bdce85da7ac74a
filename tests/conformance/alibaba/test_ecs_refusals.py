"""Refusals of ECS as its official clients raise them."""

import uuid
from datetime import datetime, timedelta, timezone

import ecs_clients
import pytest
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.acs_exception.exceptions import ServerException as CoreServerException
from aliyunsdkcore.utils import parameter_helper
from ecs_scenario import BUCKET, REGION, image

GOOD = {"RegionId": REGION, "ImageId": image("ubuntu"), "OSSBucket": BUCKET, "OSSPrefix": "Test"}

EXPORTS = [
    ("unknown image", {"ImageId": "m-bp1doesnotexist00001"}, "InvalidImageId.NotFound", 404),
    ("malformed image id", {"ImageId": "img-12345678"}, "InvalidImageId.NotFound", 404),
    ("another account's image", {"ImageId": image("second")}, "InvalidImageId.NotFound", 404),
    ("Windows", {"ImageId": image("windows")}, "InvalidImageLicense.NotSupported", 403),
    ("marketplace", {"ImageId": image("market")}, "ImageNotSupported", 403),
    ("encrypted", {"ImageId": image("crypted")}, "ImageNotSupported", 400),
    ("shared", {"ImageId": image("shared")}, "InvalidImageCategory.NotSupported", 403),
    ("public", {"ImageId": image("public")}, "InvalidImageCategory.NotSupported", 403),
    ("being made", {"ImageId": image("creatng")}, "IncorrectImageStatus", 400),
    ("data disk over 500 GiB", {"ImageId": image("biggest")}, "InvalidImage.DiskAmountOrSize", 400),
    ("six data disks", {"ImageId": image("sixdata")}, "InvalidImage.DiskAmountOrSize", 400),
    ("bucket absent", {"OSSBucket": "no-such-bucket"}, "InvalidOSSBucket.NotFound", 400),
    ("bucket in another region", {"OSSBucket": "sampan-shanghai"}, "InvalidOSSBucket.NotFound", 400),
    ("bucket not writable", {"OSSBucket": "sampan-readonly"}, "InvalidOSS.NotAuthorized", 403),
    ("another account's bucket", {"OSSBucket": "sampan-other"}, "InvalidOSS.NotAuthorized", 403),
    ("bucket encrypts", {"OSSBucket": "sampan-encrypted"}, "InvalidOSSBucket.EncryptUnsupported", 403),
    ("role absent", {"RoleName": "NobodysRole"}, "NoSetRoletoECSServiceAcount", 403),
    ("prefix with a slash", {"OSSPrefix": "linux/"}, "InvalidOSSPrefix.Malformed", 400),
    ("prefix of 31 letters", {"OSSPrefix": "p" * 31}, "InvalidOSSPrefix.Malformed", 400),
    ("unknown format", {"ImageFormat": "iso"}, "InvalidImageFormat.Malformed", 400),
    ("format not in the region", {"ImageFormat": "qcow2"}, "InvalidImageFormat.RegionNotSupported", 400),
    ("no image", {"ImageId": None}, "MissingParameter", 400),
    ("no bucket", {"OSSBucket": None}, "MissingParameter", 400),
]


@pytest.mark.parametrize("change, code, status", [one[1:] for one in EXPORTS], ids=[one[0] for one in EXPORTS])
def test_an_export_is_refused_by_the_vendors_code(ecs, change, code, status):
    refusal = ecs.refusal("ExportImage", **(GOOD | change))
    assert (refusal.code, refusal.status) == (code, status)
    assert ecs.call("DescribeTasks", RegionId=REGION)["TotalCount"] == 0


def test_an_unknown_region_is_refused(tea):
    refusal = tea.refusal("ExportImage", **(GOOD | {"RegionId": "ap-guangzhou"}))
    assert (refusal.code, refusal.status) == ("InvalidRegionId.NotFound", 400)


def test_an_image_that_is_exporting_is_refused_even_for_a_check(ecs, simulator):
    simulator.post("pace", floor_ms=60_000)
    ecs.call("ExportImage", **GOOD)
    for dry_run in (False, True):
        refusal = ecs.refusal("ExportImage", **GOOD, DryRun=dry_run)
        assert (refusal.code, refusal.status) == ("ImageIsExporting", 403)


def test_a_full_task_list_is_refused(ecs, simulator, account):
    simulator.post("pace", floor_ms=60_000)
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"running_exports": 1})
    ecs.call("ExportImage", **(GOOD | {"ImageId": image("debian")}))
    refusal = ecs.refusal("ExportImage", **GOOD)
    assert (refusal.code, refusal.status) == ("ConcurrentQuotaExceed.ExportImage", 403)


def test_an_account_that_is_not_enabled_is_refused(tea, simulator, account):
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"export_enabled": False})
    assert tea.refusal("ExportImage", **GOOD).code == "UserNotInTheWhiteList"


def test_unknown_tasks_are_refused(ecs):
    for action in ("DescribeTaskAttribute", "CancelTask"):
        refusal = ecs.refusal(action, RegionId=REGION, TaskId="t-bp1doesnotexist00001")
        assert (refusal.code, refusal.status) == ("InvalidTaskId.NotFound", 400)


def test_another_accounts_task_is_unknown(tea, simulator):
    simulator.post("pace", floor_ms=60_000)
    task = tea.call("ExportImage", **GOOD)["TaskId"]
    other = simulator.accounts("alibaba")[1]
    stranger = ecs_clients.make("tea-acs3", simulator.addresses["ecs"], other)
    assert stranger.refusal("CancelTask", RegionId=REGION, TaskId=task).code == "InvalidTaskId.NotFound"


# ---- who is calling ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ecs_clients.FLAVOURS)
def test_a_wrong_secret_is_refused_with_the_servers_text(simulator, account, flavour):
    wrong = account | {"secret_key": account["secret_key"] + "x"}
    refusal = ecs_clients.make(flavour, simulator.addresses["ecs"], wrong).refusal("ExportImage", **GOOD)
    # The older client compares the server's text with its own, and says so when only the secret can be wrong.
    expected = "InvalidAccessKeySecret" if flavour == "core-rpc" else "SignatureDoesNotMatch"
    assert (refusal.code, refusal.status) == (expected, 400)
    if flavour != "core-rpc":
        assert "server string to sign is:" in refusal.message
    assert simulator.audit()[-1]["outcome"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("flavour", ecs_clients.FLAVOURS)
def test_an_unknown_key_is_refused(simulator, account, flavour):
    wrong = account | {"secret_id": "LTAI5tNobody000000000001"}
    refusal = ecs_clients.make(flavour, simulator.addresses["ecs"], wrong).refusal("ExportImage", **GOOD)
    assert (refusal.code, refusal.status) == ("InvalidAccessKeyId.NotFound", 404)


def set_clocks(monkeypatch, shift):
    """Lets the clients' clocks go wrong by `shift`."""
    text = (datetime.now(timezone.utc) + shift).strftime("%Y-%m-%dT%H:%M:%SZ")
    monkeypatch.setattr(Utils, "get_timestamp", staticmethod(lambda: text))
    monkeypatch.setattr(parameter_helper, "get_iso_8061_date", lambda: text)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_stale_timestamp_is_refused(ecs, monkeypatch, minutes):
    set_clocks(monkeypatch, timedelta(minutes=minutes))
    refusal = ecs.refusal("ExportImage", **GOOD)
    assert (refusal.code, refusal.status) == ("InvalidTimeStamp.Expired", 400)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_timestamp_within_the_window_is_accepted(ecs, monkeypatch, minutes):
    set_clocks(monkeypatch, timedelta(minutes=minutes))
    assert ecs.call("DescribeImages", RegionId=REGION)["RequestId"]


def test_a_jump_of_the_clouds_time_leaves_signatures_valid(ecs, simulator):
    simulator.post("clock", jump_seconds=86_400)
    assert ecs.call("DescribeImages", RegionId=REGION)["RequestId"]


def test_a_replayed_nonce_is_refused(ecs, monkeypatch):
    nonce = uuid.uuid4().hex
    monkeypatch.setattr(Utils, "get_nonce", staticmethod(lambda: nonce))
    monkeypatch.setattr(parameter_helper, "get_uuid", lambda: nonce)
    ecs.call("DescribeImages", RegionId=REGION)
    refusal = ecs.refusal("DescribeImages", RegionId=REGION)
    assert (refusal.code, refusal.status) == ("SignatureNonceUsed", 400)


@pytest.mark.parametrize("flavour", ecs_clients.FLAVOURS)
def test_a_temporary_key_needs_its_token(simulator, flavour):
    key = {"secret_id": "STS.NSampanDemo0001", "secret_key": "SampanTemporarySecret0001"}
    simulator.post("accounts", cloud="alibaba", account="1000000000000077", token="a/b+c=token", **key)
    client = ecs_clients.make(flavour, simulator.addresses["ecs"], key, token="a/b+c=token")
    assert client.call("DescribeImages", RegionId=REGION)["TotalCount"] == 1  # the public one
    without = ecs_clients.make(flavour, simulator.addresses["ecs"], key)
    assert without.refusal("DescribeImages", RegionId=REGION).code == "MissingSecurityToken"
    other = ecs_clients.make(flavour, simulator.addresses["ecs"], key, token="another")
    assert other.refusal("DescribeImages", RegionId=REGION).code == "InvalidSecurityToken.Malformed"


# ---- how the clients class it -----------------------------------------------------------------------------------


def test_the_current_client_tells_throttling_with_its_hint(tea, simulator):
    simulator.post("faults", cloud="alibaba", action="ExportImage", kind="throttle", times=1)
    refusal = tea.refusal("ExportImage", **GOOD)
    assert isinstance(refusal.error, ThrottlingException)
    assert refusal.code == "Throttling.User"
    # The client keeps the hint in milliseconds.
    assert refusal.error.retry_after > 0
    assert tea.call("ExportImage", **GOOD)["TaskId"]


def test_the_current_client_tells_its_own_faults_from_the_servers(tea, simulator):
    assert isinstance(tea.refusal("ExportImage", **(GOOD | {"ImageId": "m-x"})).error, ClientException)
    simulator.post("faults", cloud="alibaba", action="ExportImage", kind="server_error", times=1)
    refusal = tea.refusal("ExportImage", **GOOD)
    assert isinstance(refusal.error, ServerException)
    assert (refusal.code, refusal.status) == ("InternalError", 500)


def test_the_current_client_reads_the_whole_envelope(tea):
    data = tea.refusal("ExportImage", **(GOOD | {"ImageId": "m-x"})).error.data
    assert data["Code"] == "InvalidImageId.NotFound"
    assert data["RequestId"] == data["RequestId"].upper()
    assert len(data["RequestId"]) == len(str(uuid.uuid4()))
    assert data["HostId"].startswith("127.0.0.1")
    assert data["Recommend"] == "https://api.aliyun.com/troubleshoot?q=InvalidImageId.NotFound&product=Ecs"


def test_the_older_client_retries_a_read_that_failed_on_the_servers_side(simulator, account):
    core = ecs_clients.make("core-rpc", simulator.addresses["ecs"], account)
    simulator.post("faults", cloud="alibaba", action="DescribeTasks", kind="server_error", times=2)
    assert core.call("DescribeTasks", RegionId=REGION)["TotalCount"] == 0
    outcomes = [line["outcome"] for line in simulator.audit() if line["action"] == "DescribeTasks"]
    assert outcomes == ["InternalError", "InternalError", "ok"]


def test_the_older_client_raises_its_own_kind(simulator, account):
    core = ecs_clients.make("core-rpc", simulator.addresses["ecs"], account)
    refusal = core.refusal("ExportImage", **(GOOD | {"ImageId": "m-x"}))
    assert isinstance(refusal.error, CoreServerException)
    assert refusal.error.get_request_id()
