"""What the tests of Tencent's Python SDK share: a refusal as it raises it, and the call that lists images."""

import re

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.cvm.v20170312 import models


def refused(call, *arguments, **fields):
    with pytest.raises(TencentCloudSDKException) as raised:
        call(*arguments, **fields)
    return raised.value


def code(call, *arguments, **fields):
    error = refused(call, *arguments, **fields)
    assert re.fullmatch(r"[0-9a-f-]{36}", error.get_request_id()), error
    assert error.get_message()
    return error.get_code()


def describe(client, **fields):
    request = models.DescribeImagesRequest()
    filters = fields.pop("filters", None)
    for name, value in fields.items():
        setattr(request, name, value)
    if filters is not None:
        request.Filters = []
        for name, values in filters.items():
            one = models.Filter()
            one.Name, one.Values = name, values
            request.Filters.append(one)
    return client.DescribeImages(request)
