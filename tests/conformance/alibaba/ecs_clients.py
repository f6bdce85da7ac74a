"""The official ECS clients behind one face: a call by its wire names, and a refusal as the client raises it."""

import importlib
import json
from dataclasses import dataclass

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient

FLAVOURS = ["tea-acs3", "tea-rpc", "core-rpc"]
REGION = "cn-hangzhou"


@dataclass
class Refusal:
    """What a client tells of a refused call."""

    code: str
    status: int
    message: str
    error: Exception


def make(flavour, url, account, token=None):
    """Makes one official client for `url` with the account's key."""
    address = url.removeprefix("http://")
    if flavour == "core-rpc":
        return Core(address, account["secret_id"], account["secret_key"], token)
    algorithm = "v2" if flavour == "tea-rpc" else None
    return Tea(address, account["secret_id"], account["secret_key"], token, algorithm)


class Tea:
    """alibabacloud-ecs20140526."""

    def __init__(self, address, secret_id, secret_key, token, algorithm):
        config = Config(
            access_key_id=secret_id,
            access_key_secret=secret_key,
            security_token=token,
            endpoint=address,
            protocol="http",
            region_id=REGION,
            signature_algorithm=algorithm,
        )
        self.client = Client(config)

    def call(self, action, **parameters):
        request = getattr(models, action + "Request")().from_map(parameters)
        return getattr(self.client, snake(action))(request).body.to_map()

    def refusal(self, action, **parameters):
        try:
            answer = self.call(action, **parameters)
        except AlibabaCloudException as error:
            return Refusal(error.code, error.status_code, error.message, error)
        raise AssertionError(f"{action} was accepted: {answer}")


class Core:
    """aliyun-python-sdk-core with aliyun-python-sdk-ecs."""

    def __init__(self, address, secret_id, secret_key, token):
        self.address = address
        if token:
            self.client = AcsClient(region_id=REGION, credential=StsTokenCredential(secret_id, secret_key, token))
        else:
            self.client = AcsClient(secret_id, secret_key, REGION)

    def call(self, action, **parameters):
        module = importlib.import_module(f"aliyunsdkecs.request.v20140526.{action}Request")
        request = getattr(module, action + "Request")()
        request.set_endpoint(self.address)
        request.set_protocol_type("http")
        for name, value in parameters.items():
            if name == "RegionId":
                # The client adds its own region; this is how a caller overrides it.
                request.add_query_param("RegionId", value)
            elif isinstance(value, list):
                getattr(request, f"set_{name}s")(value)
            elif value is not None:
                getattr(request, f"set_{name}")(value)
        return json.loads(self.client.do_action_with_exception(request))

    def refusal(self, action, **parameters):
        try:
            answer = self.call(action, **parameters)
        except ServerException as error:
            return Refusal(error.get_error_code(), error.get_http_status(), error.get_error_msg(), error)
        raise AssertionError(f"{action} was accepted: {answer}")


def snake(action):
    """`DescribeTaskAttribute` as the method `describe_task_attribute`."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in action).lstrip("_")
