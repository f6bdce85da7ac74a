"""An export from the preview to the proof; the part between the marks stands in the README."""

# [README
import uuid

from sampan.export.v1 import export_service_pb2 as export, export_service_pb2_grpc as export_grpc
from sampan.operation.v1 import operation_service_pb2 as operation, operation_service_pb2_grpc as operation_grpc


def export_image(channel, spec):
    exports = export_grpc.ExportServiceStub(channel)
    preview = exports.PreviewExport(export.PreviewExportRequest(spec=spec), timeout=30)
    if preview.violations:
        raise ValueError("\n".join(f"{found.rule}: {found.message}. {found.fix}" for found in preview.violations))

    # Keep the request id: sending it again returns this export instead of starting a second one.
    request = export.ExportImageRequest(request_id=str(uuid.uuid4()), spec=spec)
    last = exports.ExportImage(request, timeout=30).operation

    # Sends the current state at once, then each newer one, and ends with the operation.
    watch = operation.WatchOperationRequest(name=last.name)
    for state in operation_grpc.OperationServiceStub(channel).WatchOperation(watch):
        last = state.operation
        print(last.name, last.step, last.progress_percent)
    return last
# README]
