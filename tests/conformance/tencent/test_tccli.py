"""Tencent's command line against the simulator: a plain http endpoint, scheme and all, in the Host header."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

GOOD = "img-ubuntu01"
BUCKET = "sampan-guangzhou-1250000000"


@pytest.fixture
def tccli(simulator, account, tmp_path):
    """Returns a function that runs `tccli PRODUCT ACTION …` and gives its result."""

    def run(product, action, *arguments, secret_key=None, region="ap-guangzhou"):
        program = pathlib.Path(sys.executable).with_name("tccli")
        line = [program, product, action, "--region", region, "--endpoint", simulator.addresses["cvm"], *arguments]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "TENCENTCLOUD_SECRET_ID": account["secret_id"],
            "TENCENTCLOUD_SECRET_KEY": secret_key or account["secret_key"],
            "TENCENTCLOUD_REGION": region,
        }
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)

    return run


def answered(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refused(result):
    assert result.returncode == 255, result.stdout
    return result.stderr


def test_an_export_starts_with_a_scheme_in_the_host_header(simulator, tccli):
    fields = ["--BucketName", BUCKET, "--ImageIds", f'["{GOOD}"]', "--FileNamePrefixList", '["cli"]']
    answer = answered(tccli("cvm", "ExportImages", *fields))
    assert isinstance(answer["TaskId"], int)
    assert re.fullmatch(rf"/cli_{GOOD}_system_snap-[0-9a-z]{{8}}\.raw", answer["CosPaths"][0])
    (line,) = simulator.audit(action="ExportImages")
    assert (line["outcome"], line["request_id"]) == ("ok", answer["RequestId"])


def test_arguments_in_their_unfolded_form_work(tccli):
    fields = ["--cli-unfold-argument", "--BucketName", BUCKET, "--ImageIds", GOOD, "--DryRun", "True"]
    assert answered(tccli("cvm", "ExportImages", *fields))["RequestId"]


def test_images_quota_and_snapshots_can_be_asked_for(tccli):
    images = answered(tccli("cvm", "DescribeImages", "--ImageIds", f'["{GOOD}"]'))
    assert images["TotalCount"] == 1
    snapshot = images["ImageSet"][0]["SnapshotSet"][0]["SnapshotId"]
    assert answered(tccli("cvm", "DescribeImageQuota"))["ImageNumQuota"] > 0
    snapshots = answered(tccli("cbs", "DescribeSnapshots", "--SnapshotIds", f'["{snapshot}"]'))
    assert snapshots["SnapshotSet"][0]["Encrypt"] is False


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("img-windows1", "UnsupportedOperation.WindowsImageExportUnsupported"),
        ("img-nobody01", "InvalidImageId.NotFound"),
    ],
)
def test_a_refusal_is_told_with_its_code(tccli, image, expected):
    fields = ["--BucketName", BUCKET, "--ImageIds", f'["{image}"]']
    assert expected in refused(tccli("cvm", "ExportImages", *fields))


def test_a_wrong_secret_is_told(tccli):
    assert "AuthFailure.SignatureFailure" in refused(tccli("cvm", "DescribeImages", secret_key="another"))


def test_a_spent_day_is_told(simulator, account, tccli):
    simulator.post("console", cloud="tencent", account=account["account"], region="ap-guangzhou", n=5)
    fields = ["--BucketName", BUCKET, "--ImageIds", f'["{GOOD}"]']
    assert "LimitExceeded" in refused(tccli("cvm", "ExportImages", *fields))


def test_an_image_is_copied_shared_and_deleted(simulator, tccli):
    fields = ["--ImageIds", f'["{GOOD}"]', "--DestinationRegions", '["ap-shanghai", "ap-beijing"]']
    copies = answered(tccli("cvm", "SyncImages", *fields, "--ImageSetRequired", "True"))["ImageSet"]
    assert [copy["Region"] for copy in copies] == ["ap-shanghai", "ap-beijing"]
    made = ["--ImageIds", json.dumps([copies[0]["ImageId"]])]
    state = lambda: answered(tccli("cvm", "DescribeImages", *made, region="ap-shanghai"))["ImageSet"][0]["ImageState"]
    simulator.until(lambda: state() == "NORMAL", "the copy")
    share = ["--cli-unfold-argument", "--ImageId", GOOD, "--AccountIds", "100000000002", "100000000100"]
    answered(tccli("cvm", "ModifyImageSharePermission", *share, "--Permission", "SHARE"))
    told = answered(tccli("cvm", "DescribeImageSharePermission", "--ImageId", GOOD))["SharePermissionSet"]
    assert [one["AccountId"] for one in told] == ["100000000002", "100000000100"]
    assert "InvalidImageId.InShared" in refused(tccli("cvm", "DeleteImages", "--ImageIds", f'["{GOOD}"]'))
    answered(tccli("cvm", "DeleteImages", *made, "--DeleteBindedSnap", "True", region="ap-shanghai"))
