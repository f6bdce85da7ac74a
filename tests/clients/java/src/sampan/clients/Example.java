package sampan.clients;

// An export from the preview to the proof; the part between the marks stands in the README.

// [README
import io.grpc.Channel;
import java.util.UUID;
import java.util.stream.Collectors;
import sampan.export.v1.ExportImageRequest;
import sampan.export.v1.ExportServiceGrpc;
import sampan.export.v1.ExportSpec;
import sampan.export.v1.PreviewExportRequest;
import sampan.operation.v1.Operation;
import sampan.operation.v1.OperationServiceGrpc;
import sampan.operation.v1.WatchOperationRequest;

class Example {
  static Operation exportImage(Channel channel, ExportSpec spec) {
    var exports = ExportServiceGrpc.newBlockingStub(channel);
    var preview = exports.previewExport(PreviewExportRequest.newBuilder().setSpec(spec).build());
    if (preview.getViolationsCount() > 0) {
      throw new IllegalArgumentException(preview.getViolationsList().stream()
          .map(found -> found.getRule() + ": " + found.getMessage() + ". " + found.getFix())
          .collect(Collectors.joining("\n")));
    }

    // Keep the request id: sending it again returns this export instead of starting a second one.
    var request = ExportImageRequest.newBuilder().setRequestId(UUID.randomUUID().toString()).setSpec(spec).build();
    var last = exports.exportImage(request).getOperation();

    // Sends the current state at once, then each newer one, and ends with the operation.
    var watch = WatchOperationRequest.newBuilder().setName(last.getName()).build();
    var states = OperationServiceGrpc.newBlockingStub(channel).watchOperation(watch);
    while (states.hasNext()) {
      last = states.next().getOperation();
      System.out.printf("%s %s %d%n", last.getName(), last.getStep(), last.getProgressPercent());
    }
    return last;
  }
}
// README]
