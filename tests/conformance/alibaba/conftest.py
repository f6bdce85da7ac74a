"""Fixtures for Alibaba Cloud: the seeded account, an image with known bytes, and the official clients."""

import ecs_clients
import oss_clients
import pytest
from ecs_scenario import BUCKET, REGION, export


@pytest.fixture
def account(simulator):
    """The first seeded account: account, secret_id, secret_key."""
    return simulator.accounts("alibaba")[0]


@pytest.fixture
def disk(raw_disk):
    """A sparse raw disk of 16 MiB with data at both ends."""
    return raw_disk("disk.raw", 16, 1)


@pytest.fixture
def own_image(simulator, account, disk):
    """Id of an image whose system disk has the bytes of `disk`."""
    disks = [{"role": "system", "file": str(disk)}]
    owner = account["account"]
    made = simulator.post("images", cloud="alibaba", account=owner, region=REGION, name="own", disks=disks)
    return made["id"]


@pytest.fixture(params=ecs_clients.FLAVOURS)
def ecs(request, simulator, account):
    """Each official ECS client with the seeded account's key."""
    return ecs_clients.make(request.param, simulator.addresses["ecs"], account)


@pytest.fixture
def tea(simulator, account):
    """The current ECS client alone, where one client is enough."""
    return ecs_clients.make("tea-acs3", simulator.addresses["ecs"], account)


@pytest.fixture(params=oss_clients.FLAVOURS)
def oss(request, simulator, account):
    """Each official OSS client and signature version with the seeded account's key."""
    return oss_clients.make(request.param, simulator.addresses["oss"], account, BUCKET)


@pytest.fixture
def exported(tea, own_image):
    """Key of the finished export of `own_image` into the seeded bucket."""
    return export(tea, own_image)[0]
