"""Tencent's clients, pointed at the simulator."""

import types

import pytest
from qcloud_cos import CosConfig, CosS3Client
from tencentcloud.cbs.v20170312.cbs_client import CbsClient
from tencentcloud.common import credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import models
from tencentcloud.cvm.v20170312.cvm_client import CvmClient

REGION = "ap-guangzhou"
BUCKET = "sampan-guangzhou-1250000000"


@pytest.fixture
def account(simulator):
    return simulator.accounts("tencent")[0]


@pytest.fixture
def other_account(simulator):
    return simulator.accounts("tencent")[1]


@pytest.fixture
def client(simulator, account):
    """Returns a maker of SDK clients of CVM (or of another product)."""

    def make(kind=CvmClient, region=REGION, secret_id=None, secret_key=None, token=None, method="POST", **profile):
        keys = credential.Credential(secret_id or account["secret_id"], secret_key or account["secret_key"], token)
        http = HttpProfile(protocol="http", endpoint=simulator.host("cvm"), reqMethod=method, reqTimeout=20)
        settings = ClientProfile(httpProfile=http)
        for name, value in profile.items():
            setattr(settings, name, value)
        return kind(keys, region, settings)

    return make


@pytest.fixture
def cvm(client):
    return client()


@pytest.fixture
def cbs(client):
    return client(CbsClient)


@pytest.fixture
def cos(simulator, account):
    """Returns a maker of COS clients: the Host header names the bucket, the address is the simulator's."""

    def make(region=REGION, secret_id=None, secret_key=None, token=None):
        host, port = simulator.host("cos").split(":")
        config = CosConfig(
            Region=region,
            SecretId=secret_id or account["secret_id"],
            SecretKey=secret_key or account["secret_key"],
            Token=token,
            Scheme="http",
            IP=host,
            Port=int(port),
            Timeout=20,
        )
        # Without repeats: a refusal is wanted as it comes.
        return CosS3Client(config, retry=0)

    return make


@pytest.fixture
def export():
    """Returns a function that calls ExportImages with the fields that are given."""

    def call(client, *images, **fields):
        request = models.ExportImagesRequest()
        request.BucketName = fields.pop("BucketName", BUCKET)
        request.ImageIds = list(images)
        for name, value in fields.items():
            assert hasattr(request, name), name
            setattr(request, name, value)
        return client.ExportImages(request)

    return call


@pytest.fixture
def golden(simulator, account, raw_disk):
    """An image with a system disk and a data disk whose bytes are known."""
    system, data = raw_disk("system.raw", 12, 1), raw_disk("data.raw", 5, 2)
    added = simulator.post(
        "images",
        cloud="tencent",
        account=account["account"],
        region=REGION,
        name="golden",
        disks=[{"role": "system", "file": str(system)}, {"role": "data", "file": str(data)}],
    )
    return types.SimpleNamespace(id=added["id"], system=system, data=data, added=added)
