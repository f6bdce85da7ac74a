package sampan.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.TlsChannelCredentials;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import sampan.billing.v1.BillingEstimatorServiceGrpc;
import sampan.billing.v1.DiskSize;
import sampan.billing.v1.Downloads;
import sampan.billing.v1.EstimateExportRequest;
import sampan.billing.v1.LineStatus;
import sampan.billing.v1.Site;
import sampan.export.v1.CreateDownloadUrlsRequest;
import sampan.export.v1.ExportImageRequest;
import sampan.export.v1.ExportServiceGrpc;
import sampan.export.v1.ExportSpec;
import sampan.export.v1.PreviewExportRequest;
import sampan.image.v1.Cloud;
import sampan.image.v1.DiskRole;
import sampan.image.v1.ImageReference;
import sampan.image.v1.Severity;
import sampan.image.v1.Violation;
import sampan.operation.v1.Artifact;
import sampan.operation.v1.CancelOperationRequest;
import sampan.operation.v1.Operation;
import sampan.operation.v1.OperationServiceGrpc;
import sampan.operation.v1.OperationState;
import sampan.operation.v1.QuotaStatus;
import sampan.operation.v1.WaitOperationRequest;
import sampan.operation.v1.WatchOperationRequest;
import sampan.quota.v1.GetQuotaRequest;
import sampan.quota.v1.ListQuotasRequest;
import sampan.quota.v1.QuotaServiceGrpc;

/** The tour of the API in Java, with nothing but generated stubs and grpc-java. */
class TourTest {
  private static final int SECONDS = 30;
  private static ManagedChannel channel;

  @BeforeAll
  static void connect() {
    channel = Connect.plain();
  }

  @AfterAll
  static void disconnect() {
    channel.shutdownNow();
  }

  private static ExportServiceGrpc.ExportServiceBlockingStub exports() {
    return ExportServiceGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static OperationServiceGrpc.OperationServiceBlockingStub steering() {
    return OperationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static QuotaServiceGrpc.QuotaServiceBlockingStub quotas(ManagedChannel channel) {
    return QuotaServiceGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static ExportSpec.Builder onTencent(String image) {
    var reference = ImageReference.newBuilder()
        .setCloud(Cloud.CLOUD_TENCENT).setAccount("tencent").setRegion("ap-guangzhou").setImageId(image);
    return ExportSpec.newBuilder().setImage(reference).setBucket("sampan-guangzhou-1250000000");
  }

  private static ExportSpec.Builder onAlibaba(String image) {
    var reference = ImageReference.newBuilder()
        .setCloud(Cloud.CLOUD_ALIBABA).setAccount("alibaba").setRegion("cn-hangzhou").setImageId(image);
    return ExportSpec.newBuilder().setImage(reference).setBucket("sampan-hangzhou");
  }

  private static Operation start(ExportSpec.Builder spec) {
    return exports().exportImage(ExportImageRequest.newBuilder().setSpec(spec).build()).getOperation();
  }

  private static Operation ended(String name) {
    var timeout = Duration.newBuilder().setSeconds(SECONDS - 1);
    var wait = WaitOperationRequest.newBuilder().setName(name).setTimeout(timeout).build();
    var last = steering().waitOperation(wait).getOperation();
    assertTrue(last.getDone(), last::toString);
    return last;
  }

  @Test
  void aPreviewNamesEveryViolationAtOnce() {
    var spec = onTencent("img-windows1").setBucket("nowhere-1250000000");
    var answer = exports().previewExport(PreviewExportRequest.newBuilder().setSpec(spec).build());
    assertFalse(answer.getStartable());
    var found = answer.getViolationsList().stream().collect(Collectors.toMap(Violation::getRule, violation -> violation));
    assertTrue(found.keySet().containsAll(Set.of("IMAGE_WINDOWS", "BUCKET_NOT_FOUND")), answer::toString);
    var windows = found.get("IMAGE_WINDOWS");
    assertEquals(Severity.SEVERITY_ENFORCED, windows.getSeverity());
    for (var told : List.of(windows.getMessage(), windows.getSource(), windows.getFix())) {
      assertFalse(told.isEmpty(), windows::toString);
    }
    assertEquals("spec.bucket", found.get("BUCKET_NOT_FOUND").getField());
  }

  @Test
  void aRefusedStartNamesEveryWrongField() throws Exception {
    var refusal = Refusal.of(() -> start(onTencent("img-ubuntu01").setBucket("nowhere").setPrefix("")));
    var wrong = Map.of("spec.bucket", "BUCKET_NAME_MALFORMED", "spec.prefix", "PREFIX_MALFORMED");
    assertEquals(new Refusal(Code.INVALID_ARGUMENT, "BUCKET_NAME_MALFORMED", wrong), refusal);
  }

  @Test
  void anOperationThatARuleForbidsFailsWithTheViolationsOfItsPreview() {
    var last = ended(start(onTencent("img-windows1")).getName());
    assertEquals(OperationState.OPERATION_STATE_FAILED, last.getState());
    assertEquals(Code.FAILED_PRECONDITION.value(), last.getError().getCode());
    assertEquals(List.of("IMAGE_WINDOWS"), last.getError().getViolationsList().stream().map(Violation::getRule).toList());
    assertEquals(QuotaStatus.QUOTA_STATUS_RELEASED, last.getQuota().getStatus());
  }

  @Test
  void aRequestIdStartsOneOperationOnly() throws Exception {
    var id = UUID.randomUUID().toString();
    var request = ExportImageRequest.newBuilder().setRequestId(id).setSpec(onTencent("img-ubuntu01")).build();
    var first = exports().exportImage(request).getOperation();
    assertEquals(first.getName(), exports().exportImage(request).getOperation().getName());
    var other = request.toBuilder().setSpec(onTencent("img-ubuntu01").setOnlyRootDisk(true)).build();
    var refusal = Refusal.of(() -> exports().exportImage(other));
    assertEquals(Code.ALREADY_EXISTS, refusal.code());
    assertEquals("REQUEST_ID_REUSED", refusal.reason());
    assertEquals(OperationState.OPERATION_STATE_SUCCEEDED, ended(first.getName()).getState());
  }

  @Test
  void anExportIsWatchedToItsProof() {
    var last = Example.exportImage(channel, onTencent("img-debian01").setPrefix("tour").build());
    assertEquals(OperationState.OPERATION_STATE_SUCCEEDED, last.getState());
    var disks = last.getExportResult().getArtifactsList();
    assertEquals(3, disks.size());
    assertEquals(DiskRole.DISK_ROLE_SYSTEM, disks.get(0).getDisk().getRole());
    for (var disk : disks) {
      assertTrue(disk.getKey().startsWith("tour") && disk.getSizeBytes() > 0 && !disk.getEtag().isEmpty(), disk::toString);
    }
    var links = CreateDownloadUrlsRequest.newBuilder().setOperationName(last.getName()).build();
    var urls = exports().createDownloadUrls(links).getUrlsList();
    assertEquals(
        disks.stream().map(Artifact::getKey).toList(), urls.stream().map(url -> url.getArtifact().getKey()).toList());
  }

  @Test
  void aDeadlineEndsTheWatchAndACancelEndsTheOperation() throws Exception {
    var started = start(onAlibaba("m-bp1sampanubuntu00001"));
    var watch = WatchOperationRequest.newBuilder().setName(started.getName()).build();
    var refusal = Refusal.of(() -> {
      var states = steering().withDeadlineAfter(1, TimeUnit.SECONDS).watchOperation(watch);
      states.forEachRemaining(state -> assertFalse(state.getOperation().getDone()));
    });
    assertEquals(Code.DEADLINE_EXCEEDED, refusal.code());
    var cancel = CancelOperationRequest.newBuilder().setName(started.getName()).build();
    var cancelling = steering().cancelOperation(cancel).getOperation().getState();
    assertTrue(Set.of(OperationState.OPERATION_STATE_CANCELLING, OperationState.OPERATION_STATE_CANCELLED)
        .contains(cancelling), cancelling::toString);
    assertEquals(OperationState.OPERATION_STATE_CANCELLED, ended(started.getName()).getState());
    assertEquals(Code.FAILED_PRECONDITION, Refusal.of(() -> steering().cancelOperation(cancel)).code());
  }

  @Test
  void theQuotaOfTheDayAddsUp() {
    var request = GetQuotaRequest.newBuilder()
        .setCloud(Cloud.CLOUD_TENCENT).setAccount("tencent").setRegion("ap-guangzhou").build();
    var day = quotas(channel).getQuota(request).getQuota();
    assertEquals(5, day.getDailyLimit());
    assertEquals(5, day.getUsed() + day.getReserved() + day.getSpentElsewhere() + day.getRemaining());
    assertEquals("UTC+08:00", day.getTimeZone());
    assertTrue(day.hasResetTime());
  }

  @Test
  void anEstimateHasASourceForEveryPrice() {
    var request = EstimateExportRequest.newBuilder()
        .setCloud(Cloud.CLOUD_TENCENT)
        .setSite(Site.SITE_INTL)
        .setRegion("ap-guangzhou")
        .addDisks(DiskSize.newBuilder().setCapacityBytes(50L << 30))
        .setDownloads(Downloads.newBuilder().setPublicCount(1))
        .build();
    var stub = BillingEstimatorServiceGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    var estimate = stub.estimateExport(request).getEstimate();
    assertEquals("USD", estimate.getCurrency());
    var total = estimate.getTotal();
    assertTrue(new BigDecimal(total.getLow()).compareTo(new BigDecimal(total.getExpected())) <= 0, total::toString);
    assertTrue(new BigDecimal(total.getExpected()).compareTo(new BigDecimal(total.getHigh())) <= 0, total::toString);
    var priced = estimate.getLinesList().stream()
        .filter(line -> line.getStatus() == LineStatus.LINE_STATUS_PRICED).toList();
    assertFalse(priced.isEmpty());
    for (var line : priced) {
      var price = line.getUnitPrice();
      assertFalse(price.getSource().isEmpty() || price.getSourceDate().isEmpty(), line::toString);
    }
  }

  @Test
  void tlsAndATokenOpenTheDoor() throws Exception {
    var request = ListQuotasRequest.getDefaultInstance();
    var trusted = Connect.secure(System.getenv("SAMPAN_TOKEN"));
    // The public authorities know nothing of this server.
    var stranger = Connect.secure(TlsChannelCredentials.create());
    try {
      quotas(trusted).listQuotas(request);
      assertEquals(Code.UNAVAILABLE, Refusal.of(() -> quotas(stranger).listQuotas(request)).code());
    } finally {
      trusted.shutdownNow();
      stranger.shutdownNow();
    }
  }

  @Test
  void withoutAGoodTokenTheDoorStaysShut() throws Exception {
    for (var token : new String[] {null, "not.a.token"}) {
      var channel = Connect.secure(token);
      try {
        var refusal = Refusal.of(() -> quotas(channel).listQuotas(ListQuotasRequest.getDefaultInstance()));
        assertEquals(Code.UNAUTHENTICATED, refusal.code());
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
