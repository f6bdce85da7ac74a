"""The Python SDK of COS against the simulator."""

import io
import re
import urllib.parse

import crcmod
import pytest
import requests
from qcloud_cos import CosConfig, CosS3Client, cos_auth
from qcloud_cos.cos_exception import CosClientError, CosServiceError

BUCKET = "sampan-guangzhou-1250000000"
HOST = f"{BUCKET}.cos.ap-guangzhou.myqcloud.com"


def crc64(data):
    return str(crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=0xFFFFFFFFFFFFFFFF, rev=True)(data))


def refusal(call, *arguments, **fields):
    with pytest.raises(CosServiceError) as raised:
        call(*arguments, **fields)
    return raised.value.get_status_code(), raised.value.get_error_code()


def body(answer):
    return answer["Body"].get_raw_stream().read()


@pytest.fixture
def exported(simulator, cvm, cos, export, golden):
    """A finished export: key of the system disk's object and the file with its bytes."""
    keys = [path.removeprefix("/") for path in export(cvm, golden.id, FileNamePrefixList=["p"]).CosPaths]
    for key in keys:
        simulator.until(lambda: cos().object_exists(BUCKET, key), key)
    return keys[0], golden.system


# ---- exported objects ----------------------------------------------------------------------------------------------


def test_an_exported_object_has_the_headers_of_one_written_in_parts(cos, exported):
    key, source = exported
    head = cos().head_object(BUCKET, key)
    data = source.read_bytes()
    assert head["Content-Length"] == str(len(data))
    assert head["x-cos-hash-crc64ecma"] == crc64(data)
    assert re.fullmatch(r'"[0-9a-f]{32}-\d+"', head["ETag"])
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", head["Last-Modified"])
    assert head["x-cos-request-id"] and head["Server"] == "tencent-cos"
    # Only other classes than STANDARD are named.
    assert "x-cos-storage-class" not in head


def test_the_sdk_downloads_in_parts_and_checks_the_sum_itself(cos, exported, tmp_path):
    key, source = exported
    target = tmp_path / "download.raw"
    cos().download_file(BUCKET, key, str(target), PartSize=1, MAXThread=3, EnableCRC=True)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("header", "part"),
    [("bytes=0-4", slice(0, 5)), ("bytes=1000-1999", slice(1000, 2000)), ("bytes=-7", slice(-7, None))],
)
def test_a_range_gives_these_bytes_and_no_others(cos, exported, header, part):
    key, source = exported
    answer = cos().get_object(BUCKET, key, Range=header)
    data = source.read_bytes()
    assert body(answer) == data[part]
    assert answer["Content-Length"] == str(len(data[part]))
    assert answer["Content-Range"].endswith(f"/{len(data)}")


def test_a_range_behind_the_end_is_refused(cos, exported):
    key, _ = exported
    assert refusal(cos().get_object, BUCKET, key, Range="bytes=99999999999-") == (416, "InvalidRange")


def test_conditions_hold_or_refuse(cos, exported):
    key, _ = exported
    etag = cos().head_object(BUCKET, key)["ETag"]
    assert body(cos().get_object(BUCKET, key, IfMatch=etag))
    assert refusal(cos().get_object, BUCKET, key, IfMatch='"other"') == (412, "PreconditionFailed")


def test_a_body_that_is_cut_can_be_gone_on_with(simulator, cos, exported):
    key, source = exported
    data = source.read_bytes()
    simulator.post("faults", cloud="tencent", action="GetObject", kind="reset")
    stream = cos().get_object(BUCKET, key)["Body"].get_raw_stream()
    received = b""
    with pytest.raises(Exception, match="IncompleteRead|Connection"):
        while True:
            received += stream.read(64 << 10)
            assert len(received) < len(data)
    assert 0 < len(received) < len(data) and data.startswith(received)
    rest = body(cos().get_object(BUCKET, key, Range=f"bytes={len(received)}-"))
    assert received + rest == data
    assert [line["outcome"] for line in simulator.audit(action="GetObject")] == ["reset", "ok"]


# ---- presigned URLs ------------------------------------------------------------------------------------------------


def presigned(account, key, expired=3600, **fields):
    config = CosConfig(
        Region="ap-guangzhou", SecretId=account["secret_id"], SecretKey=account["secret_key"], Scheme="http"
    )
    url = CosS3Client(config).get_presigned_url(BUCKET, key, "GET", Expired=expired, **fields)
    parts = urllib.parse.urlsplit(url)
    assert parts.netloc == HOST
    return f"{parts.path}?{parts.query}"


def test_a_presigned_url_needs_no_key(simulator, account, exported):
    key, source = exported
    status, headers, data = simulator.raw("cos", "GET", presigned(account, key), {"Host": HOST})
    assert (status, data) == (200, source.read_bytes())
    assert headers["x-cos-hash-crc64ecma"] == crc64(data)


def test_signed_parameters_of_a_presigned_url_set_headers(simulator, account, exported):
    key, _ = exported
    path = presigned(account, key, Params={"response-content-disposition": 'attachment; filename="a.raw"'})
    status, headers, _ = simulator.raw("cos", "GET", path, {"Host": HOST})
    assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="a.raw"')


def test_a_presigned_url_is_good_for_its_key_and_method_only(simulator, account, exported):
    key, _ = exported
    path = presigned(account, key)
    for method, bad in (("GET", path.replace(key, "other")), ("DELETE", path)):
        status, _, data = simulator.raw("cos", method, bad, {"Host": HOST})
        assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in data


def test_a_presigned_url_expires(simulator, account, exported):
    key, _ = exported
    status, headers, data = simulator.raw("cos", "GET", presigned(account, key, expired=-5), {"Host": HOST})
    assert (status, headers["Content-Type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code>" in data and b"Request has expired" in data


# ---- buckets and listings ------------------------------------------------------------------------------------------


def test_a_bucket_says_where_it_is(cos):
    assert cos().head_bucket(BUCKET)["x-cos-bucket-region"] == "ap-guangzhou"


def test_a_bucket_of_another_region_or_account_is_not_served(cos, other_account):
    shanghai = "sampan-shanghai-1250000000"
    assert refusal(cos().head_bucket, shanghai) == (404, "NoSuchResource")
    assert refusal(cos().list_objects, shanghai) == (404, "NoSuchBucket")
    assert cos("ap-shanghai").head_bucket(shanghai)["x-cos-bucket-region"] == "ap-shanghai"
    assert refusal(cos().list_objects, "sampan-other-1250000001") == (403, "AccessDenied")
    keys = {name: other_account[name] for name in ("secret_id", "secret_key")}
    assert cos(**keys).head_bucket("sampan-other-1250000001")


def test_pages_of_a_listing_together_hold_every_key_once(cos):
    client = cos()
    keys = sorted(["a/1", "a/2", "b &<>/ä b.raw", "b/1", "c", "d", "e+f"], key=str.encode)
    for key in keys:
        client.put_object(BUCKET, io.BytesIO(key.encode()), key)
    seen, marker = [], ""
    while True:
        page = client.list_objects(BUCKET, MaxKeys=2, Marker=marker, EncodingType="url")
        seen += [urllib.parse.unquote(item["Key"]) for item in page["Contents"]]
        if page["IsTruncated"] == "false":
            break
        assert len(page["Contents"]) == 2
        marker = urllib.parse.unquote(page["NextMarker"])
    assert seen == keys


def test_a_listing_folds_at_the_delimiter(cos):
    client = cos()
    for key in ("p/a", "p/x/1", "p/x/2", "q/1"):
        client.put_object(BUCKET, b"12345", key)
    page = client.list_objects(BUCKET, Prefix="p/", Delimiter="/")
    assert [item["Key"] for item in page["Contents"]] == ["p/a"]
    assert [item["Prefix"] for item in page["CommonPrefixes"]] == ["p/x/"]
    (entry,) = page["Contents"]
    assert (entry["Size"], entry["StorageClass"], entry["Owner"]["ID"]) == ("5", "STANDARD", "1250000000")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", entry["LastModified"])


def test_a_small_object_comes_back_as_it_was_written_and_goes_when_deleted(cos):
    client = cos()
    written = client.put_object(BUCKET, b"hello", "d/镜 k.txt")
    assert written["x-cos-hash-crc64ecma"] == crc64(b"hello")
    assert body(client.get_object(BUCKET, "d/镜 k.txt")) == b"hello"
    client.delete_object(BUCKET, "d/镜 k.txt")
    assert refusal(client.get_object, BUCKET, "d/镜 k.txt") == (404, "NoSuchKey")


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_what_is_not_there_is_told_by_status_on_head_and_by_code_on_get(cos):
    assert refusal(cos().head_object, BUCKET, "nothing") == (404, "NoSuchResource")
    assert refusal(cos().get_object, BUCKET, "nothing") == (404, "NoSuchKey")
    assert refusal(cos().list_objects, "nothing-1250000000") == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"secret_key": "another"}, "SignatureDoesNotMatch"),
        ({"secret_id": "AKIDnobody"}, "InvalidAccessKeyId"),
        ({"token": "stray"}, "InvalidAccessKeyId"),
    ],
)
def test_a_caller_that_does_not_prove_itself_is_refused(cos, keys, expected):
    assert refusal(cos(**keys).list_objects, BUCKET) == (403, expected)


def test_a_token_comes_with_its_key(simulator, cos):
    keys = {"secret_id": "AKIDtemporary", "secret_key": "temporary"}
    simulator.post("accounts", cloud="tencent", account="100000000009", app_id="1250000009", token="TKN/+=", **keys)
    bucket = "own-1250000009"
    simulator.post("buckets", cloud="tencent", account="100000000009", region="ap-guangzhou", name=bucket)
    assert cos(token="TKN/+=", **keys).list_objects(bucket)["Name"] == bucket
    assert refusal(cos(**keys).list_objects, bucket) == (403, "InvalidAccessKeyId")


def test_an_unsigned_request_is_refused_with_a_whole_document(simulator):
    status, headers, data = simulator.raw("cos", "GET", "/key", {"Host": HOST})
    assert (status, headers["Content-Type"]) == (403, "application/xml")
    for part in (b"<Code>AccessDenied</Code>", b"<Resource>/key</Resource>", b"<Message>", b"<RequestId>"):
        assert part in data
    assert headers["x-cos-request-id"].encode() in data


@pytest.mark.parametrize(("seconds", "expected"), [(-20_000, "AccessDenied"), (3_600, "RequestTimeTooSkewed")])
def test_a_clock_that_is_far_off_is_refused(cos, monkeypatch, seconds, expected):
    true_time = cos_auth.time.time
    client = cos()
    monkeypatch.setattr(cos_auth.time, "time", lambda: true_time() + seconds)
    assert refusal(client.list_objects, BUCKET) == (403, expected)


def test_a_sub_resource_that_is_not_simulated_says_so(cos):
    assert refusal(cos().get_bucket_acl, BUCKET) == (501, "NotImplemented")


# ---- addresses and faults ------------------------------------------------------------------------------------------


def test_on_a_bare_address_the_path_begins_with_the_bucket(simulator, account, cos):
    cos().put_object(BUCKET, b"hello", "k")
    host = simulator.host("cos")
    signer = cos_auth.CosS3Auth(
        CosConfig(Region="ap-guangzhou", SecretId=account["secret_id"], SecretKey=account["secret_key"]),
        key=f"/{BUCKET}/k",
    )
    for signed_host in (host, host.split(":")[0]):
        request = requests.Request("GET", f"http://{signed_host}/{BUCKET}/k", headers={"Host": signed_host}).prepare()
        signature = signer(request).headers["Authorization"]
        headers = {"Host": host, "Authorization": signature}
        status, _, data = simulator.raw("cos", "GET", f"/{BUCKET}/k", headers)
        assert (status, data) == (200, b"hello"), signed_host


@pytest.mark.parametrize(
    ("kind", "expected"), [("throttle", (503, "SlowDown")), ("server_error", (500, "InternalError"))]
)
def test_an_ordered_fault_comes_as_often_as_ordered(simulator, cos, kind, expected):
    client = cos()
    client.put_object(BUCKET, b"hello", "k")
    simulator.post("faults", cloud="tencent", action="GetObject", kind=kind, times=1)
    assert refusal(client.get_object, BUCKET, "k") == expected
    assert body(client.get_object(BUCKET, "k")) == b"hello"


def test_a_reset_cuts_the_connection(simulator, cos):
    simulator.post("faults", cloud="tencent", action="HeadBucket", kind="reset")
    with pytest.raises(CosClientError):
        cos().head_bucket(BUCKET)
    assert simulator.audit(action="HeadBucket")[-1]["outcome"] == "reset"
