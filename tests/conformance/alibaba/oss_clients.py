"""The official OSS clients behind one face: bucket, objects, presigned URLs, and refusals as the clients raise them."""

import datetime
from dataclasses import dataclass

import alibabacloud_oss_v2 as oss
import oss2
from alibabacloud_oss_v2.exceptions import OperationError, ServiceError

FLAVOURS = ["oss2-v1", "oss2-v4", "oss-v2-v1", "oss-v2-v4"]
REGION = "cn-hangzhou"


@dataclass
class Head:
    """What a client tells of an object."""

    size: int
    etag: str
    crc64: int
    modified: int
    kind: str
    storage_class: str


@dataclass
class Refusal:
    """What a client tells of a refused request."""

    code: str
    status: int
    request_id: str
    ec: str
    error: Exception


def make(flavour, url, account, bucket, token=None, region=REGION):
    """Makes one official client for `url` with the account's key."""
    kind = Oss2 if flavour.startswith("oss2-") else OssV2
    return kind(flavour.rsplit("-", 1)[1], url, account["secret_id"], account["secret_key"], token, bucket, region)


class Oss2:
    """oss2."""

    def __init__(self, version, url, secret_id, secret_key, token, bucket, region):
        if token:
            auth = oss2.StsAuth(secret_id, secret_key, token, auth_version=version)
        else:
            auth = oss2.AuthV4(secret_id, secret_key) if version == "v4" else oss2.Auth(secret_id, secret_key)
        self.bucket = oss2.Bucket(auth, url, bucket, region=region if version == "v4" else None)

    def info(self):
        told = self.bucket.get_bucket_info()
        algorithm = told.bucket_encryption_rule.sse_algorithm
        # This client reads the word `None` as nothing.
        return told.name, told.location, told.storage_class, algorithm or "None"

    def location(self):
        return self.bucket.get_bucket_location().location

    def head(self, key):
        told = self.bucket.head_object(key)
        storage_class = told.headers["x-oss-storage-class"]
        crc64 = int(told.headers["x-oss-hash-crc64ecma"])
        return Head(told.content_length, told.etag, crc64, told.last_modified, told.object_type, storage_class)

    def get(self, key, first=None, last=None):
        part = None if first is None else (first, last)
        answer = self.bucket.get_object(key, byte_range=part)
        body = answer.read()
        return body, answer.client_crc, answer.server_crc

    def keys(self, prefix="", delimiter="", page=100):
        listed, groups, token = [], [], ""
        while True:
            told = self.bucket.list_objects_v2(prefix, delimiter, token, max_keys=page)
            listed += [(one.key, one.size) for one in told.object_list]
            groups += told.prefix_list
            if not told.is_truncated:
                return listed, groups
            token = told.next_continuation_token

    def keys_by_marker(self, prefix="", page=100):
        return [one.key for one in oss2.ObjectIterator(self.bucket, prefix=prefix, max_keys=page)]

    def put(self, key, data):
        told = self.bucket.put_object(key, data)
        return told.etag, told.crc

    def delete(self, key):
        return self.bucket.delete_object(key).status

    def url(self, key, seconds=600):
        return self.bucket.sign_url("GET", key, seconds, slash_safe=True)

    def refusal(self, method, *arguments):
        try:
            answer = getattr(self, method)(*arguments)
        except oss2.exceptions.ServerError as error:
            return Refusal(error.code, error.status, error.request_id, error.ec, error)
        raise AssertionError(f"{method} was accepted: {answer}")


class OssV2:
    """alibabacloud-oss-v2."""

    def __init__(self, version, url, secret_id, secret_key, token, bucket, region):
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(secret_id, secret_key, token)
        config.region = region
        config.endpoint = url
        config.signature_version = version
        config.retry_max_attempts = 1
        self.client = oss.Client(config)
        self.bucket = bucket

    def info(self):
        told = self.client.get_bucket_info(oss.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        return told.name, told.location, told.storage_class, told.sse_rule.sse_algorithm

    def location(self):
        return self.client.get_bucket_location(oss.GetBucketLocationRequest(bucket=self.bucket)).location

    def head(self, key):
        told = self.client.head_object(oss.HeadObjectRequest(bucket=self.bucket, key=key))
        modified = int(told.last_modified.timestamp())
        etag, crc64 = told.etag.strip('"'), int(told.hash_crc64)
        return Head(told.content_length, etag, crc64, modified, told.object_type, told.storage_class)

    def get(self, key, first=None, last=None):
        part = None if first is None else f"bytes={first}-{last}"
        answer = self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key=key, range_header=part))
        return answer.body.content, None, int(answer.hash_crc64)

    def keys(self, prefix="", delimiter=None, page=100):
        listed, groups = [], []
        paginator = self.client.list_objects_v2_paginator()
        request = oss.ListObjectsV2Request(bucket=self.bucket, prefix=prefix, delimiter=delimiter or None, max_keys=page)
        for told in paginator.iter_page(request):
            listed += [(one.key, one.size) for one in told.contents or []]
            groups += [one.prefix for one in told.common_prefixes or []]
        return listed, groups

    def keys_by_marker(self, prefix="", page=100):
        paginator = self.client.list_objects_paginator()
        pages = paginator.iter_page(oss.ListObjectsRequest(bucket=self.bucket, prefix=prefix, max_keys=page))
        return [one.key for told in pages for one in told.contents or []]

    def put(self, key, data):
        told = self.client.put_object(oss.PutObjectRequest(bucket=self.bucket, key=key, body=data))
        return told.etag.strip('"'), int(told.hash_crc64)

    def delete(self, key):
        return self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key=key)).status_code

    def url(self, key, seconds=600):
        expires = datetime.timedelta(seconds=seconds)
        return self.client.presign(oss.GetObjectRequest(bucket=self.bucket, key=key), expires=expires).url

    def refusal(self, method, *arguments):
        try:
            answer = getattr(self, method)(*arguments)
        except OperationError as error:
            inner = error.unwrap()
            assert isinstance(inner, ServiceError), inner
            return Refusal(inner.code, inner.status_code, inner.request_id, inner.ec, inner)
        raise AssertionError(f"{method} was accepted: {answer}")
