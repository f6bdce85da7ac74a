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


def test_adds_and_removes_travel_in_one_call(ecs):
    first, second, third = neighbours(3)
    share(ecs, first, second)
    share(ecs, third, RemoveAccount=[first])
    assert receivers(ecs) == [second, third]
    # A repetition changes nothing, and neither does a removal of who is not there.
    share(ecs, third)
    ecs.call("ModifyImageSharePermission", RegionId=REGION, ImageId=GOOD, RemoveAccount=[first])
    assert receivers(ecs) == [second, third]


def test_receivers_come_in_pages(ecs):
    everyone = neighbours(20)
    share(ecs, *everyone[:10])
    share(ecs, *everyone[10:])
    told = ecs.call("DescribeImageSharePermission", RegionId=REGION, ImageId=GOOD)
    assert (told["TotalCount"], told["PageSize"], len(told["Accounts"]["Account"])) == (20, 10, 10)
    assert receivers(ecs, PageNumber=2, PageSize=15) == everyone[15:]
    assert ecs.refusal("DescribeImageSharePermission", RegionId=REGION, ImageId=GOOD, PageSize=101).code == "InvalidParameter"
    assert ecs.refusal("DescribeImageSharePermission", RegionId=REGION, ImageId="m-x").code == "InvalidImageId.NotFound"


SHARES = [
    ("own account", {"AddAccount": ["1000000000000001"]}, "InvalidAccount.Forbbiden", 404),
    ("unknown account", {"AddAccount": ["9999999999999999"]}, "InvalidAccount.NotFound", 404),
    ("no number", {"AddAccount": ["root@example.com"]}, "InvalidAccount.NotFound", 404),
    ("another site's account", {"AddAccount": ["5000000000000001"]}, "InvalidImageId.BidMismatch", 403),
    ("one of several is bad", {"AddAccount": ["1000000000000002", "27"]}, "InvalidAccount.NotFound", 404),
    ("nobody at all", {"AddAccount": None}, "MissingParameter", 400),
    ("received image", {"ImageId": image("shared")}, "InvalidImageId.NotFound", 404),
    ("unknown image", {"ImageId": "m-bp1doesnotexist00001"}, "InvalidImageId.NotFound", 404),
    ("being made", {"ImageId": image("creatng")}, "IncorrectImageStatus", 400),
    ("service key", {"ImageId": image("crypted")}, "InvalidOperation.ServiceKeyEncryptedImageUnsupported", 403),
    ("for everybody", {"IsPublic": True}, "PublicImageAgreement.NotSigned", 403),
    ("by invitation", {"LaunchPermission": "HIDDEN"}, "ForbiddenParameter.LaunchPermission", 400),
    ("trial", {"DryRun": True}, "DryRunOperation", 400),
]


@pytest.mark.parametrize("change, code, status", [one[1:] for one in SHARES], ids=[one[0] for one in SHARES])
def test_a_share_is_refused_by_the_vendors_code(ecs, change, code, status):
    good = {"RegionId": REGION, "ImageId": GOOD, "AddAccount": ["1000000000000002"]}
    refusal = ecs.refusal("ModifyImageSharePermission", **(good | change))
    assert (refusal.code, refusal.status) == (code, status)
    assert receivers(ecs) == []


def test_the_fifty_first_account_is_refused(tea):
    everyone = neighbours(51)
    for start in range(0, 50, 10):
        share(tea, *everyone[start : start + 10])
    refusal = tea.refusal("ModifyImageSharePermission", RegionId=REGION, ImageId=GOOD, AddAccount=everyone[50:])
    assert (refusal.code, refusal.status) == ("QuotaExceed.ShareImageUser", 403)
    assert receivers(tea) == everyone[:50]


def test_the_number_of_shared_images_can_be_limited(tea, simulator, account):
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"shared_images": 1})
    share(tea, *neighbours(2))
    share(tea, "1000000000000150")
    refusal = tea.refusal(
        "ModifyImageSharePermission", RegionId=REGION, ImageId=image("debian"), AddAccount=neighbours(1)
    )
    assert (refusal.code, refusal.status) == ("QuotaExceed.ShareImage", 403)


def test_a_deprecated_image_is_not_shared(tea, simulator):
    simulator.post("images/change", cloud="alibaba", region=REGION, id=GOOD, state="deprecated")
    refusal = tea.refusal("ModifyImageSharePermission", RegionId=REGION, ImageId=GOOD, AddAccount=neighbours(1))
    assert (refusal.code, refusal.status) == ("OperationDenied.InvalidImageStatus", 403)


def copied(ecs, **change):
    parameters = {"RegionId": REGION, "ImageId": GOOD, "DestinationRegionId": "cn-shanghai", "DestinationImageName": "copy"}
    return ecs.call("CopyImage", **(parameters | change))["ImageId"]


def available(simulator, ecs, image_id, region):
    def look():
        told = ecs.call("DescribeImages", RegionId=region, ImageId=image_id)["Images"]["Image"]
        return told and told[0]

    return simulator.until(look, image_id)


def test_another_account_in_another_region_gets_a_copy_that_is_shared(tea, simulator, stranger, other_account):
    made = copied(tea)
    early = {"RegionId": "cn-shanghai", "ImageId": made, "AddAccount": [other_account["account"]]}
    if "Available" != tea.call("DescribeImages", RegionId="cn-shanghai", ImageId=made, Status="ALL")["Images"]["Image"][0]["Status"]:
        assert tea.refusal("ModifyImageSharePermission", **early).code == "IncorrectImageStatus"
    available(simulator, tea, made, "cn-shanghai")
    tea.call("ModifyImageSharePermission", **early)
    seen = available(simulator, stranger, made, "cn-shanghai")
    assert (seen["ImageOwnerAlias"], seen["ImageName"]) == ("others", "copy")


def test_a_receiver_copies_within_the_region_and_owns_the_result(tea, simulator, stranger, other_account):
    share(tea, other_account["account"])
    call = {"RegionId": REGION, "ImageId": GOOD, "DestinationImageName": "mine"}
    refusal = stranger.refusal("CopyImage", **call, DestinationRegionId="cn-shanghai")
    assert (refusal.code, refusal.status) == ("OperationDenied.SameRegionOnly", 403)
    own = stranger.call("CopyImage", **call, DestinationRegionId=REGION)["ImageId"]
    assert available(simulator, stranger, own, REGION)["ImageOwnerAlias"] == "self"
    tea.call("ModifyImageSharePermission", RegionId=REGION, ImageId=GOOD, RemoveAccount=[other_account["account"]])
    gone = stranger.call("DescribeImages", RegionId=REGION, ImageId=GOOD)
    assert gone["TotalCount"] == 0
    onward = copied(stranger, ImageId=own)
    assert available(simulator, stranger, onward, "cn-shanghai")["ImageOwnerAlias"] == "self"


def test_a_shared_image_is_changed_by_its_owner_alone_and_deleted_after_its_shares(tea, stranger, other_account):
    share(tea, other_account["account"])
    for action, more in (("DeleteImage", {}), ("ModifyImageSharePermission", {"AddAccount": neighbours(1)})):
        assert stranger.refusal(action, RegionId=REGION, ImageId=GOOD, **more).code == "InvalidImageId.NotFound"
    refusal = tea.refusal("DeleteImage", RegionId=REGION, ImageId=GOOD, Force=True)
    assert (refusal.code, refusal.status) == ("ImageUseShared", 403)
    tea.call("ModifyImageSharePermission", RegionId=REGION, ImageId=GOOD, RemoveAccount=[other_account["account"]])
    tea.call("DeleteImage", RegionId=REGION, ImageId=GOOD)


def test_an_image_under_an_own_key_is_shared_if_it_has_one_snapshot_and_the_role(tea, simulator, account, other_account):
    key = account["kms_keys"][0]["id"]
    encrypting = {"DestinationRegionId": REGION, "Encrypted": True, "KMSKeyId": key}
    one = copied(tea, **encrypting)
    many = copied(tea, ImageId=image("debian"), DestinationImageName="many", **encrypting)
    for made in (one, many):
        available(simulator, tea, made, REGION)
    give = lambda made: {"RegionId": REGION, "ImageId": made, "AddAccount": [other_account["account"]]}
    assert tea.refusal("ModifyImageSharePermission", **give(many)).code == "OperationDeined.FullImage"
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"encrypted_shares": False})
    assert tea.refusal("ModifyImageSharePermission", **give(one)).code == "AssumeRoleError"
    simulator.post("limits", cloud="alibaba", account=account["account"], limits={"encrypted_shares": True})
    tea.call("ModifyImageSharePermission", **give(one))


def test_a_share_whose_answer_was_lost_is_there(tea, simulator, other_account):
    simulator.post("faults", cloud="alibaba", action="ModifyImageSharePermission", kind="answer_lost")
    with pytest.raises(Exception, match="(?i)connection|remote|closed|aborted"):
        share(tea, other_account["account"])
    assert receivers(tea) == [other_account["account"]]
    assert [line["outcome"] for line in simulator.audit(action="ModifyImageSharePermission")] == ["lost"]
