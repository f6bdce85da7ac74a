"""Shares of images through the official ECS clients: receivers, chunks of ten, pages, refusals."""

import ecs_clients
import pytest
from ecs_scenario import REGION, image

GOOD = image("ubuntu")


@pytest.fixture
def other_account(simulator):
    return simulator.accounts("alibaba")[1]


@pytest.fixture
def stranger(simulator, other_account):
    """The current client with the second account's key."""
    return ecs_clients.make("tea-acs3", simulator.addresses["ecs"], other_account)


def share(ecs, *accounts, image_id=GOOD, **change):
    parameters = {"RegionId": REGION, "ImageId": image_id, "AddAccount": list(accounts)} | change
    return ecs.call("ModifyImageSharePermission", **parameters)


def receivers(ecs, image_id=GOOD, region=REGION, **page):
    told = ecs.call("DescribeImageSharePermission", RegionId=region, ImageId=image_id, **({"PageSize": 100} | page))
    return [str(account["AliyunId"]) for account in told["Accounts"]["Account"]]


def neighbours(count):
    """Numbers of accounts that exist without a key."""
    return [f"1000000000000{number}" for number in range(100, 100 + count)]


def test_a_receiver_sees_a_shared_image_as_anothers(ecs, stranger, account, other_account):
    share(ecs, other_account["account"])
    assert receivers(ecs) == [other_account["account"]]
    told = stranger.call("DescribeImages", RegionId=REGION, ImageOwnerAlias="others", ImageId=GOOD)
    (seen,) = told["Images"]["Image"]
    assert (seen["ImageOwnerAlias"], str(seen["ImageOwnerId"])) == ("others", account["account"])
    (own,) = ecs.call("DescribeImages", RegionId=REGION, ImageId=GOOD)["Images"]["Image"]
    assert own["IsSelfShared"] == "True"


def test_accounts_beyond_the_tenth_are_dropped_without_a_word(ecs):
    share(ecs, *neighbours(12))
    assert receivers(ecs) == neighbours(10)
