"""The tour of the API in Python, with nothing but generated stubs and grpcio."""

import os
import uuid

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from sampan.billing.v1 import billing_estimator_service_pb2 as billing
from sampan.billing.v1 import billing_estimator_service_pb2_grpc as billing_grpc
from sampan.billing.v1 import estimate_pb2 as estimate
from sampan.export.v1 import export_service_pb2 as export
from sampan.export.v1 import export_service_pb2_grpc as export_grpc
from sampan.image.v1 import image_pb2 as image
from sampan.operation.v1 import operation_pb2 as operation
from sampan.operation.v1 import operation_service_pb2 as operations
from sampan.operation.v1 import operation_service_pb2_grpc as operations_grpc
from sampan.quota.v1 import quota_service_pb2 as quota
from sampan.quota.v1 import quota_service_pb2_grpc as quota_grpc

import connect
import example

SECONDS = 30
GIB = 1 << 30


@pytest.fixture(scope="module")
def channel():
    with connect.plain() as channel:
        yield channel


@pytest.fixture
def exports(channel):
    return export_grpc.ExportServiceStub(channel)


@pytest.fixture
def steering(channel):
    return operations_grpc.OperationServiceStub(channel)


def on_tencent(image_id, bucket="sampan-guangzhou-1250000000", **more):
    reference = image.ImageReference(
        cloud=image.CLOUD_TENCENT, account="tencent", region="ap-guangzhou", image_id=image_id
    )
    return export.ExportSpec(image=reference, bucket=bucket, **more)


def on_alibaba(image_id):
    reference = image.ImageReference(
        cloud=image.CLOUD_ALIBABA, account="alibaba", region="cn-hangzhou", image_id=image_id
    )
    return export.ExportSpec(image=reference, bucket="sampan-hangzhou")


def refused(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value


def ended(steering, name):
    wait = operations.WaitOperationRequest(name=name, timeout=duration_pb2.Duration(seconds=SECONDS))
    last = steering.WaitOperation(wait, timeout=2 * SECONDS).operation
    assert last.done, last
    return last


def test_a_preview_names_every_violation_at_once(exports):
    spec = on_tencent("img-windows1", bucket="nowhere-1250000000")
    answer = exports.PreviewExport(export.PreviewExportRequest(spec=spec), timeout=SECONDS)
    assert not answer.startable
    found = {violation.rule: violation for violation in answer.violations}
    assert {"IMAGE_WINDOWS", "BUCKET_NOT_FOUND"} <= set(found)
    windows = found["IMAGE_WINDOWS"]
    assert windows.severity == image.SEVERITY_ENFORCED
    assert windows.message and windows.source and windows.fix
    assert found["BUCKET_NOT_FOUND"].field == "spec.bucket"


def test_a_refused_start_names_every_wrong_field(exports):
    request = export.ExportImageRequest(spec=on_tencent("img-ubuntu01", bucket="nowhere", prefix=""))
    error = refused(exports.ExportImage, request, timeout=SECONDS)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert connect.reason(error) == "BUCKET_NAME_MALFORMED"
    fields = connect.details(error, error_details_pb2.BadRequest).field_violations
    assert {field.field: field.reason for field in fields} == {
        "spec.bucket": "BUCKET_NAME_MALFORMED",
        "spec.prefix": "PREFIX_MALFORMED",
    }


def test_an_operation_that_a_rule_forbids_fails_with_the_violations_of_its_preview(exports, steering):
    request = export.ExportImageRequest(spec=on_tencent("img-windows1"))
    started = exports.ExportImage(request, timeout=SECONDS).operation
    last = ended(steering, started.name)
    assert last.state == operation.OPERATION_STATE_FAILED
    assert last.error.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert [violation.rule for violation in last.error.violations] == ["IMAGE_WINDOWS"]
    assert last.quota.status == operation.QUOTA_STATUS_RELEASED


def test_a_request_id_starts_one_operation_only(exports, steering):
    request = export.ExportImageRequest(request_id=str(uuid.uuid4()), spec=on_tencent("img-ubuntu01"))
    first = exports.ExportImage(request, timeout=SECONDS).operation
    again = exports.ExportImage(request, timeout=SECONDS).operation
    assert again.name == first.name
    request.spec.only_root_disk = True
    error = refused(exports.ExportImage, request, timeout=SECONDS)
    assert error.code() == grpc.StatusCode.ALREADY_EXISTS
    assert connect.reason(error) == "REQUEST_ID_REUSED"
    assert ended(steering, first.name).state == operation.OPERATION_STATE_SUCCEEDED


def test_an_export_is_watched_to_its_proof(channel, exports):
    last = example.export_image(channel, on_tencent("img-debian01", prefix="tour"))
    assert last.done and last.state == operation.OPERATION_STATE_SUCCEEDED
    disks = last.export_result.artifacts
    assert [artifact.disk.role for artifact in disks] == [image.DISK_ROLE_SYSTEM] + [image.DISK_ROLE_DATA] * 2
    assert all(artifact.key.startswith("tour") and artifact.size_bytes and artifact.etag for artifact in disks)
    links = export.CreateDownloadUrlsRequest(operation_name=last.name)
    urls = exports.CreateDownloadUrls(links, timeout=SECONDS).urls
    assert [url.artifact.key for url in urls] == [artifact.key for artifact in disks]


def test_a_deadline_ends_the_watch_and_a_cancel_ends_the_operation(exports, steering):
    request = export.ExportImageRequest(spec=on_alibaba("m-bp1sampanubuntu00001"))
    started = exports.ExportImage(request, timeout=SECONDS).operation
    states = steering.WatchOperation(operations.WatchOperationRequest(name=started.name), timeout=1)
    error = refused(list, states)
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    cancel = operations.CancelOperationRequest(name=started.name)
    cancelling = steering.CancelOperation(cancel, timeout=SECONDS).operation
    assert cancelling.state in (operation.OPERATION_STATE_CANCELLING, operation.OPERATION_STATE_CANCELLED)
    assert ended(steering, started.name).state == operation.OPERATION_STATE_CANCELLED
    error = refused(steering.CancelOperation, cancel, timeout=SECONDS)
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION


def test_the_quota_of_the_day_adds_up(channel):
    request = quota.GetQuotaRequest(cloud=image.CLOUD_TENCENT, account="tencent", region="ap-guangzhou")
    day = quota_grpc.QuotaServiceStub(channel).GetQuota(request, timeout=SECONDS).quota
    assert day.daily_limit == 5
    assert day.used + day.reserved + day.spent_elsewhere + day.remaining == day.daily_limit
    assert day.time_zone == "UTC+08:00" and day.HasField("reset_time")


def test_an_estimate_has_a_source_for_every_price(channel):
    request = billing.EstimateExportRequest(
        cloud=image.CLOUD_TENCENT,
        site=estimate.SITE_INTL,
        region="ap-guangzhou",
        disks=[billing.DiskSize(capacity_bytes=50 * GIB)],
        downloads=billing.Downloads(public_count=1),
    )
    answer = billing_grpc.BillingEstimatorServiceStub(channel).EstimateExport(request, timeout=SECONDS).estimate
    assert answer.currency == "USD"
    assert float(answer.total.low) <= float(answer.total.expected) <= float(answer.total.high)
    priced = [line for line in answer.lines if line.status == estimate.LINE_STATUS_PRICED]
    assert priced and all(line.unit_price.source and line.unit_price.source_date for line in priced)


def test_tls_and_a_token_open_the_door():
    request = quota.ListQuotasRequest()
    with connect.secure(token=os.environ["SAMPAN_TOKEN"]) as channel:
        quota_grpc.QuotaServiceStub(channel).ListQuotas(request, timeout=SECONDS)
    # The public authorities know nothing of this server.
    with connect.secure(trusted=False) as channel:
        error = refused(quota_grpc.QuotaServiceStub(channel).ListQuotas, request, timeout=SECONDS)
        assert error.code() == grpc.StatusCode.UNAVAILABLE


def test_without_a_good_token_the_door_stays_shut():
    for token in (None, "not.a.token"):
        with connect.secure(token=token) as channel:
            stub = quota_grpc.QuotaServiceStub(channel)
            error = refused(stub.ListQuotas, quota.ListQuotasRequest(), timeout=SECONDS)
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
