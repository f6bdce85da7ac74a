"""Buckets and objects through the official OSS clients."""

import time
import types
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import alibabacloud_oss_v2.presigner
import crcmod
import oss2
import oss_clients
import pytest
import requests
from alibabacloud_oss_v2 import signer
from ecs_scenario import BUCKET, REGION, export, image


def set_clocks(monkeypatch, shift):
    """Lets the clients' clocks go wrong by `shift`; everything else of the clients stays as it is."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + shift

        @classmethod
        def utcnow(cls):
            return datetime.now(timezone.utc) + shift

    shifted = types.SimpleNamespace(datetime=Clock, timedelta=timedelta, timezone=timezone)
    monkeypatch.setattr(oss2.auth, "time", types.SimpleNamespace(time=lambda: time.time() + shift.total_seconds()))
    monkeypatch.setattr(oss2.auth, "datetime", Clock)
    monkeypatch.setattr(oss2.utils, "http_date", lambda *_: format_datetime(Clock.now(timezone.utc), usegmt=True))
    for module in (alibabacloud_oss_v2.presigner, signer.v1, signer.v4):
        monkeypatch.setattr(module, "datetime", shifted)


@pytest.fixture
def several(tea):
    """Keys of exports of two images, one with three disks, sorted."""
    return sorted(export(tea, image("debian")) + export(tea, image("ubuntu"), OSSPrefix="Other"))


def xz(data):
    """CRC-64/XZ: the sum that OSS tells (reflected ECMA-182)."""
    return crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=0xFFFFFFFFFFFFFFFF, rev=True)(data)


def test_a_bucket_tells_its_region_class_and_encryption(oss):
    assert oss.info() == (BUCKET, "oss-cn-hangzhou", "Standard", "None")
    assert oss.location() == "oss-cn-hangzhou"


def test_a_bucket_elsewhere_tells_its_region_at_any_endpoint(simulator, account):
    for flavour in oss_clients.FLAVOURS:
        oss = oss_clients.make(flavour, simulator.addresses["oss"], account, "sampan-shanghai")
        assert oss.info()[1] == oss.location() == "oss-cn-shanghai", flavour


def test_an_encrypting_bucket_says_so(simulator, account):
    for flavour in oss_clients.FLAVOURS:
        oss = oss_clients.make(flavour, simulator.addresses["oss"], account, "sampan-encrypted")
        assert oss.info()[3] == "AES256", flavour


def test_an_object_is_told_whole_by_head(oss, exported):
    told = oss.head(exported)
    body, _, server = oss.get(exported)
    assert (told.size, told.crc64, server) == (len(body), xz(body), xz(body))
    assert (told.kind, told.storage_class) == ("Multipart", "Standard")
    assert told.etag == told.etag.upper()
    assert abs(told.modified - time.time()) < 600


def test_oss2_checks_the_sum_of_what_it_received(simulator, account, exported):
    oss = oss_clients.make("oss2-v4", simulator.addresses["oss"], account, BUCKET)
    body, client, server = oss.get(exported)
    assert client == server == xz(body)


def test_a_range_gives_those_bytes(oss, exported):
    whole, _, _ = oss.get(exported)
    assert oss.get(exported, 0, 3)[0] == whole[:4]
    assert oss.get(exported, 100, 4_999)[0] == whole[100:5_000]
    # Past the end OSS gives the whole object, unless asked for the standard's behaviour.
    assert oss.get(exported, 10, len(whole) + 5)[0] == whole


def test_a_download_in_parts_by_the_client_is_whole(simulator, account, exported, tmp_path):
    oss = oss_clients.make("oss2-v4", simulator.addresses["oss"], account, BUCKET)
    target = tmp_path / "object"
    oss2.resumable_download(oss.bucket, exported, str(target), multiget_threshold=1, part_size=100_000, num_threads=4)
    assert target.read_bytes() == oss.get(exported)[0]


def test_keys_are_listed_in_pages_groups_and_by_prefix(oss, several):
    assert [key for key, _ in oss.keys()[0]] == several
    assert [key for key, _ in oss.keys(page=1)[0]] == several
    assert [key for key, _ in oss.keys("Other_")[0]] == [key for key in several if key.startswith("Other_")]
    assert oss.keys("none") == ([], [])
    listed, groups = oss.keys("", "_", 1)
    assert (listed, groups) == ([], ["Other_", "Test_"])
    assert all(size == oss.head(key).size for key, size in oss.keys()[0])


def test_the_older_list_goes_on_from_a_marker(oss, several):
    assert oss.keys_by_marker(page=2) == several
    assert oss.keys_by_marker("Test_", page=1) == [key for key in several if key.startswith("Test_")]


def test_a_written_object_is_read_back_and_deleted(oss):
    data = b"hello"
    etag, total = oss.put("dir/a b+c~中.txt", data)
    assert total == xz(data) == 11177612005948864433
    told = oss.head("dir/a b+c~中.txt")
    assert (told.size, told.etag, told.kind) == (5, etag, "Normal")
    assert oss.get("dir/a b+c~中.txt")[0] == data
    assert oss.keys("dir/", "/") == ([("dir/a b+c~中.txt", 5)], [])
    assert oss.keys("", "/") == ([], ["dir/"])
    with urllib.request.urlopen(oss.url("dir/a b+c~中.txt")) as answer:
        assert answer.read() == data
    assert oss.delete("dir/a b+c~中.txt") == 204
    assert oss.delete("dir/a b+c~中.txt") == 204
    assert oss.refusal("head", "dir/a b+c~中.txt").code == "NoSuchKey"


# ---- presigned URLs ---------------------------------------------------------------------------------------------


def test_a_presigned_url_gives_the_object_without_a_key(oss, exported):
    body, _, _ = oss.get(exported)
    with urllib.request.urlopen(oss.url(exported)) as answer:
        assert answer.read() == body
    request = urllib.request.Request(oss.url(exported), headers={"Range": "bytes=5-9"})
    with urllib.request.urlopen(request) as answer:
        assert (answer.status, answer.read()) == (206, body[5:10])
        assert answer.headers["Content-Range"] == f"bytes 5-9/{len(body)}"


def test_a_presigned_url_is_for_its_key_and_method_alone(oss, exported):
    for request in (
        urllib.request.Request(oss.url(exported).replace("_system", "_System")),
        urllib.request.Request(oss.url(exported), method="HEAD"),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 403


def test_an_expired_presigned_url_is_refused(oss, exported, monkeypatch):
    set_clocks(monkeypatch, timedelta(seconds=-20))
    alive, expired = oss.url(exported, 600), oss.url(exported, 10)
    with urllib.request.urlopen(alive) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(expired)
    assert caught.value.code == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired.</Message>" in caught.value.read()


# ---- refusals ---------------------------------------------------------------------------------------------------


def test_an_absent_object_is_told_by_get_and_by_head(oss):
    got = oss.refusal("get", "nothing")
    assert (got.code, got.status, got.ec) == ("NoSuchKey", 404, "0026-00000001")
    assert len(got.request_id) == 24
    head = oss.refusal("head", "nothing")
    assert (head.status, head.ec) == (404, "0026-00000001")
    # oss2 reads the document in the header of a HEAD; so does the newer client.
    assert head.code == "NoSuchKey"


@pytest.mark.parametrize("flavour", oss_clients.FLAVOURS)
@pytest.mark.parametrize(
    "bucket, code, status",
    [
        ("no-such-bucket", "NoSuchBucket", 404),
        ("sampan-other", "AccessDenied", 403),
    ],
)
def test_a_bucket_that_is_not_the_accounts_is_refused(simulator, account, flavour, bucket, code, status):
    oss = oss_clients.make(flavour, simulator.addresses["oss"], account, bucket)
    for method, arguments in [("info", ()), ("location", ()), ("keys", ()), ("get", ("a",))]:
        refusal = oss.refusal(method, *arguments)
        assert (refusal.code, refusal.status) == (code, status), method


@pytest.mark.parametrize("flavour", ["oss2-v4", "oss-v2-v4"])
def test_objects_of_a_bucket_elsewhere_are_refused_with_its_endpoint(simulator, account, flavour):
    oss = oss_clients.make(flavour, simulator.addresses["oss"], account, "sampan-shanghai")
    refusal = oss.refusal("get", "a")
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    # The newer client misspells the name of this attribute.
    fields = getattr(refusal.error, "error_fileds", None) or refusal.error.details
    assert fields["Endpoint"] == "oss-cn-shanghai.aliyuncs.com"
    near = oss_clients.make(flavour, simulator.addresses["oss"], account, "sampan-shanghai", region="cn-shanghai")
    assert near.refusal("get", "a").code == "NoSuchKey"


@pytest.mark.parametrize("flavour", oss_clients.FLAVOURS)
def test_wrong_keys_are_refused(simulator, account, flavour):
    def refused(**change):
        oss = oss_clients.make(flavour, simulator.addresses["oss"], account | change, BUCKET)
        codes = {oss.refusal(*one).code for one in [("info",), ("keys",), ("head", "a"), ("get", "a")]}
        assert len(codes) == 1, codes
        return codes.pop()

    assert refused(secret_key=account["secret_key"] + "x") == "SignatureDoesNotMatch"
    assert refused(secret_id="LTAI5tNobody000000000001") == "InvalidAccessKeyId"


@pytest.mark.parametrize("flavour", oss_clients.FLAVOURS)
def test_a_temporary_key_needs_its_token(simulator, flavour):
    key = {"secret_id": "STS.NSampanDemo0001", "secret_key": "SampanTemporarySecret0001"}
    simulator.post("accounts", cloud="alibaba", account="1000000000000077", token="a/b+c=token", **key)
    simulator.post("buckets", cloud="alibaba", account="1000000000000077", region=REGION, name="sampan-temporary")

    def client(token):
        return oss_clients.make(flavour, simulator.addresses["oss"], key, "sampan-temporary", token=token)

    assert client("a/b+c=token").keys() == ([], [])
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(client("a/b+c=token").url("nothing"))
    assert b"NoSuchKey" in caught.value.read()
    assert client("another").refusal("keys").code == "InvalidSecurityToken"
    assert client(None).refusal("keys").code == "InvalidAccessKeyId"


@pytest.mark.parametrize("minutes, code", [(-16, "RequestTimeTooSkewed"), (16, "RequestTimeTooSkewed"), (-14, "NoSuchKey")])
def test_a_clock_that_is_off_by_more_than_the_window_is_refused(oss, monkeypatch, minutes, code):
    set_clocks(monkeypatch, timedelta(minutes=minutes))
    refusal = oss.refusal("get", "nothing")
    assert (refusal.code, refusal.status) == (code, 403 if code != "NoSuchKey" else 404)


def test_nobody_is_refused(simulator):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(simulator.addresses["oss"] + f"/{BUCKET}/a")
    assert caught.value.code == 403
    assert b"<Code>AccessDenied</Code>" in caught.value.read()
    for name in ("Date", "x-oss-request-id"):
        assert caught.value.headers[name]


# ---- faults -----------------------------------------------------------------------------------------------------


def test_a_fault_of_the_server_is_told_as_such(oss, simulator, exported):
    simulator.post("faults", cloud="alibaba", action="HeadObject", kind="server_error", times=1)
    assert oss.refusal("head", exported).status == 500
    simulator.post("faults", cloud="alibaba", action="GetObject", kind="throttle", times=1)
    refusal = oss.refusal("get", exported)
    assert (refusal.code, refusal.status) == ("DownloadTrafficRateLimitExceeded", 503)
    assert oss.head(exported).size


def test_a_reset_cuts_a_download_in_its_middle(simulator, account, exported):
    oss = oss_clients.make("oss2-v1", simulator.addresses["oss"], account, BUCKET)
    size = oss.head(exported).size
    simulator.post("faults", cloud="alibaba", action="GetObject", kind="reset", times=1)
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(oss.url(exported), timeout=10).raise_for_status()
    assert simulator.audit(action="GetObject")[-1]["outcome"] == "reset"
    assert len(oss.get(exported)[0]) == size


# ---- addressing -------------------------------------------------------------------------------------------------


class ToLoopback(requests.adapters.HTTPAdapter):
    """Sends what is meant for the cloud's hosts to the simulator; the client and its Host header stay as they are."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def send(self, request, **options):
        parts = requests.utils.urlparse(request.url)
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(scheme="http", netloc=self.address).geturl()
        return super().send(request, **options)


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_a_bucket_in_the_host_name_works_and_names_its_region(simulator, account, exported, version):
    key, secret = account["secret_id"], account["secret_key"]
    auth = oss2.AuthV4(key, secret) if version == "v4" else oss2.Auth(key, secret)

    def bucket(name, endpoint):
        session = oss2.Session()
        session.session.mount("http://", ToLoopback(simulator.host("oss")))
        return oss2.Bucket(auth, f"http://{endpoint}.aliyuncs.com", name, session=session, region=REGION)

    near = bucket(BUCKET, "oss-cn-hangzhou")
    assert near.get_bucket_info().location == "oss-cn-hangzhou"
    assert near.head_object(exported).content_length == len(near.get_object(exported).read())
    elsewhere = bucket("sampan-shanghai", "oss-cn-hangzhou")
    assert elsewhere.get_bucket_location().location == "oss-cn-shanghai"
    with pytest.raises(oss2.exceptions.AccessDenied) as caught:
        elsewhere.head_object("a")
    assert caught.value.status == 403
