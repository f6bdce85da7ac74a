"""Images, snapshots and regions as the official ECS clients read them."""

import json
import urllib.parse
import urllib.request

import pytest
from aliyunsdkcore.auth.composer import rpc_signature_composer
from ecs_scenario import REGION, image


def ids(told):
    return {one["ImageId"] for one in told["Images"]["Image"]}


def test_images_that_are_being_made_are_invisible_without_a_status(ecs):
    everything = ecs.call("DescribeImages", RegionId=REGION, PageSize=100)
    assert image("ubuntu") in ids(everything)
    assert image("creatng") not in ids(everything)
    assert image("creatng") in ids(ecs.call("DescribeImages", RegionId=REGION, Status="Waiting,Creating"))
    assert image("creatng") in ids(ecs.call("DescribeImages", RegionId=REGION, Status="ALL", PageSize=100))


def test_an_unknown_image_gives_an_empty_list(ecs):
    told = ecs.call("DescribeImages", RegionId=REGION, ImageId="m-bp1doesnotexist00001")
    assert (told["TotalCount"], told["Images"]) == (0, {"Image": []})


def test_pages_hold_every_image_once(ecs):
    pages = [ecs.call("DescribeImages", RegionId=REGION, PageNumber=number, PageSize=4) for number in (1, 2, 3, 4)]
    listed = [one["ImageId"] for page in pages for one in page["Images"]["Image"]]
    assert len(listed) == len(set(listed)) == pages[0]["TotalCount"]
    assert [len(page["Images"]["Image"]) for page in pages][:2] == [4, 4]


def test_owner_aliases_tell_own_system_and_shared_images(ecs):
    def of(alias):
        return ids(ecs.call("DescribeImages", RegionId=REGION, ImageOwnerAlias=alias, PageSize=100))

    assert {image("ubuntu"), image("market")} <= of("self")
    assert of("system") == {image("public")}
    assert of("others") == {image("shared")}
    assert of("marketplace") == set()


@pytest.mark.parametrize(
    "change, code, status",
    [
        ({"ImageOwnerAlias": "mine"}, "InvalidImageOwnerAlias.ValueNotSupported", 400),
        ({"OSType": "beos"}, "InvalidOSType", 404),
        ({"Architecture": "mips"}, "InvalidArchitecture", 404),
        ({"Usage": "often"}, "InvalidUsage", 404),
        ({"PageSize": 101}, "InvalidParameter", 400),
        ({"DryRun": True}, "DryRunOperation", 400),
    ],
)
def test_a_filter_that_does_not_exist_is_refused(ecs, change, code, status):
    refusal = ecs.refusal("DescribeImages", RegionId=REGION, **change)
    assert (refusal.code, refusal.status) == (code, status)


def test_fields_have_the_types_of_real_answers(ecs):
    (told,) = ecs.call("DescribeImages", RegionId=REGION, ImageId=image("debian"))["Images"]["Image"]
    assert (told["Size"], told["Progress"], told["Status"]) == (40, "100%", "Available")
    assert (told["OSType"], told["Platform"], told["ImageOwnerAlias"]) == ("linux", "Debian", "self")
    assert (told["ProductCode"], told["IsSelfShared"], told["ImageVersion"]) == ("", "False", "")
    assert (told["IsPublic"], told["IsCopied"], told["Tags"]) == (False, False, {"Tag": []})
    system, *data = told["DiskDeviceMappings"]["DiskDeviceMapping"]
    assert (system["Type"], system["Device"], system["Size"], system["Format"]) == ("system", "/dev/xvda", "40", "")
    assert [(one["Device"], one["Size"]) for one in data] == [("/dev/xvdb", "100"), ("/dev/xvdc", "20")]


def test_windows_and_marketplace_images_are_told_by_their_fields(ecs):
    (windows,) = ecs.call("DescribeImages", RegionId=REGION, ImageId=image("windows"))["Images"]["Image"]
    assert (windows["OSType"], windows["Platform"]) == ("windows", "Windows Server 2022")
    (market,) = ecs.call("DescribeImages", RegionId=REGION, ImageId=image("market"))["Images"]["Image"]
    assert (bool(market["ProductCode"]), market["ImageOwnerAlias"]) == (True, "self")


def snapshots_of(ecs, word):
    (told,) = ecs.call("DescribeImages", RegionId=REGION, ImageId=image(word))["Images"]["Image"]
    wanted = [one["SnapshotId"] for one in told["DiskDeviceMappings"]["DiskDeviceMapping"]]
    answer = ecs.call("DescribeSnapshots", RegionId=REGION, SnapshotIds=json.dumps(wanted))
    assert [one["SnapshotId"] for one in answer["Snapshots"]["Snapshot"]] == wanted
    return answer["Snapshots"]["Snapshot"]


def test_snapshots_tell_encryption_origin_and_kind_of_disk(ecs):
    assert [one["Encrypted"] for one in snapshots_of(ecs, "crypted")] == [True]
    assert [one["ProductCode"] != "" for one in snapshots_of(ecs, "market")] == [True]
    system, *data = snapshots_of(ecs, "debian")
    assert (system["SourceDiskType"], system["Encrypted"], system["ProductCode"]) == ("system", False, "")
    assert (system["Status"], system["Progress"]) == ("accomplished", "100%")
    assert [one["SourceDiskType"] for one in data] == ["data", "data"]


def test_snapshot_ids_are_a_json_array(ecs):
    refusal = ecs.refusal("DescribeSnapshots", RegionId=REGION, SnapshotIds="s-1,s-2")
    assert (refusal.code, refusal.status) == ("InvalidSnapshotIds.Malformed", 403)
    none = ecs.call("DescribeSnapshots", RegionId=REGION, SnapshotIds='["s-bp1doesnotexist00001"]')
    assert none["Snapshots"] == {"Snapshot": []}


def test_snapshots_come_in_pages_by_token(ecs):
    first = ecs.call("DescribeSnapshots", RegionId=REGION, MaxResults=5)
    second = ecs.call("DescribeSnapshots", RegionId=REGION, MaxResults=5, NextToken=first["NextToken"])
    pages = [[one["SnapshotId"] for one in page["Snapshots"]["Snapshot"]] for page in (first, second)]
    assert len(pages[0]) == 5
    assert not set(pages[0]) & set(pages[1])
    beyond = ecs.call("DescribeSnapshots", RegionId=REGION, MaxResults=5, NextToken=str(2**64 - 1))
    assert beyond["Snapshots"] == {"Snapshot": []}
    assert ecs.refusal("DescribeSnapshots", RegionId=REGION, NextToken="next").code == "InvalidParameter"


def test_regions_are_listed_without_a_region(tea):
    regions = tea.call("DescribeRegions")["Regions"]["Region"]
    assert {"cn-hangzhou", "ap-southeast-1"} <= {one["RegionId"] for one in regions}


def test_an_answer_is_xml_unless_json_is_asked_for(simulator, account):
    composed = rpc_signature_composer.get_signed_url(
        {"Action": "DescribeRegions", "Version": "2014-05-26"},
        account["secret_id"],
        account["secret_key"],
        "XML",
        "GET",
        {},
    )
    url = composed[0] if isinstance(composed, tuple) else composed
    with urllib.request.urlopen(simulator.addresses["ecs"] + url) as answer:
        assert answer.headers["Content-Type"].startswith("text/xml")
        assert b"<DescribeRegionsResponse>" in answer.read()


def test_an_unknown_action_is_refused(simulator, account):
    url, _ = rpc_signature_composer.get_signed_url(
        {"Action": "MakeTea", "Version": "2014-05-26"}, account["secret_id"], account["secret_key"], "JSON", "GET", {}
    )
    assert urllib.parse.urlsplit(url).query
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(simulator.addresses["ecs"] + url)
    told = json.load(caught.value)
    assert (caught.value.code, told["Code"]) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize(
    "change, code, status",
    [
        ({"AcceptLanguage": "tlh"}, "InvalidAcceptLanguage.NotFound", 404),
        ({"ResourceType": "kettle"}, "InvalidResourceType.NotFound", 404),
    ],
)
def test_regions_are_refused_in_an_unknown_language(tea, change, code, status):
    refusal = tea.refusal("DescribeRegions", **change)
    assert (refusal.code, refusal.status) == (code, status)


@pytest.mark.parametrize(
    "change, code, status",
    [
        ({"Status": "lost"}, "InvalidStatus.NotFound", 404),
        ({"Usage": "often"}, "InvalidUsage", 404),
        ({"SourceDiskType": "tape"}, "InvalidSourceDiskType", 404),
        ({"SnapshotType": "odd"}, "InvalidSnapshotType.NotFound", 404),
        ({"Category": "odd"}, "InvalidSnapshotCategory.Malformed", 403),
        ({"SnapshotLinkId": "sl-1"}, "InvalidSnapshotLinkId.NotFound", 404),
        ({"Filter": [{"Key": "Colour", "Value": "red"}]}, "InvalidFilterKey.NotFound", 404),
        ({"Filter": [{"Key": "CreationStartTime", "Value": "soon"}]}, "InvalidFilterValue", 404),
        ({"DryRun": True}, "DryRunOperation", 400),
    ],
)
def test_a_filter_of_snapshots_that_does_not_exist_is_refused(tea, change, code, status):
    refusal = tea.refusal("DescribeSnapshots", RegionId=REGION, **change)
    assert (refusal.code, refusal.status) == (code, status)


def test_snapshots_are_found_by_name_and_time_and_by_who_needs_them(tea, account):
    def count(**filters):
        told = tea.call("DescribeSnapshots", RegionId=REGION, MaxResults=100, **filters)
        return len(told["Snapshots"]["Snapshot"])

    everything = count()
    assert everything > 5
    assert count(SnapshotName="web-golden_xvda") == 1
    assert count(Usage="image") == everything and count(Usage="none") == 0
    assert count(SnapshotType="user") == everything and count(SnapshotType="auto") == 0
    assert count(Filter=[{"Key": "CreationStartTime", "Value": "2100-01-01T00:00Z"}]) == 0
    assert 0 < count(Encrypted=True) < everything
