package clients

import (
	"context"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	billingv1 "sampan/clients/gen/sampan/billing/v1"
	exportv1 "sampan/clients/gen/sampan/export/v1"
	imagev1 "sampan/clients/gen/sampan/image/v1"
	operationv1 "sampan/clients/gen/sampan/operation/v1"
	quotav1 "sampan/clients/gen/sampan/quota/v1"
)

func onTencent(image string) *exportv1.ExportSpec {
	return &exportv1.ExportSpec{
		Image: &imagev1.ImageReference{
			Cloud: imagev1.Cloud_CLOUD_TENCENT, Account: "tencent", Region: "ap-guangzhou", ImageId: image,
		},
		Bucket: "sampan-guangzhou-1250000000",
	}
}

func onAlibaba(image string) *exportv1.ExportSpec {
	return &exportv1.ExportSpec{
		Image: &imagev1.ImageReference{
			Cloud: imagev1.Cloud_CLOUD_ALIBABA, Account: "alibaba", Region: "cn-hangzhou", ImageId: image,
		},
		Bucket: "sampan-hangzhou",
	}
}

func start(t *testing.T, conn *grpc.ClientConn, request *exportv1.ExportImageRequest) *operationv1.Operation {
	t.Helper()
	answer, err := exportv1.NewExportServiceClient(conn).ExportImage(patient(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Operation
}

func ended(t *testing.T, conn *grpc.ClientConn, name string) *operationv1.Operation {
	t.Helper()
	wait := &operationv1.WaitOperationRequest{Name: name, Timeout: durationpb.New(patience - time.Second)}
	answer, err := operationv1.NewOperationServiceClient(conn).WaitOperation(patient(t), wait)
	if err != nil {
		t.Fatal(err)
	}
	if !answer.Operation.Done {
		t.Fatalf("not done: %v", answer.Operation)
	}
	return answer.Operation
}

func wantState(t *testing.T, operation *operationv1.Operation, states ...operationv1.OperationState) {
	t.Helper()
	for _, state := range states {
		if operation.State == state {
			return
		}
	}
	t.Fatalf("want %v, got %v", states, operation)
}

func TestAPreviewNamesEveryViolationAtOnce(t *testing.T) {
	spec := onTencent("img-windows1")
	spec.Bucket = "nowhere-1250000000"
	request := &exportv1.PreviewExportRequest{Spec: spec}
	answer, err := exportv1.NewExportServiceClient(plain(t)).PreviewExport(patient(t), request)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*imagev1.Violation{}
	for _, violation := range answer.Violations {
		found[violation.Rule] = violation
	}
	windows, bucket := found["IMAGE_WINDOWS"], found["BUCKET_NOT_FOUND"]
	if answer.Startable || windows == nil || bucket == nil {
		t.Fatalf("%v", answer)
	}
	if windows.Severity != imagev1.Severity_SEVERITY_ENFORCED || windows.Message == "" || windows.Source == "" || windows.Fix == "" {
		t.Errorf("%v", windows)
	}
	if bucket.Field != "spec.bucket" {
		t.Errorf("%v", bucket)
	}
}

func TestARefusedStartNamesEveryWrongField(t *testing.T) {
	spec := onTencent("img-ubuntu01")
	spec.Bucket, spec.Prefix = "nowhere", proto.String("")
	_, err := exportv1.NewExportServiceClient(plain(t)).ExportImage(patient(t), &exportv1.ExportImageRequest{Spec: spec})
	reason, fields := refused(t, err, codes.InvalidArgument)
	if reason != "BUCKET_NAME_MALFORMED" {
		t.Errorf("reason %q", reason)
	}
	wrong := map[string]string{"spec.bucket": "BUCKET_NAME_MALFORMED", "spec.prefix": "PREFIX_MALFORMED"}
	if !maps.Equal(fields, wrong) {
		t.Errorf("fields %v", fields)
	}
}

func TestAnOperationThatARuleForbidsFailsWithTheViolationsOfItsPreview(t *testing.T) {
	conn := plain(t)
	last := ended(t, conn, start(t, conn, &exportv1.ExportImageRequest{Spec: onTencent("img-windows1")}).Name)
	wantState(t, last, operationv1.OperationState_OPERATION_STATE_FAILED)
	if codes.Code(last.Error.Code) != codes.FailedPrecondition {
		t.Errorf("%v", last.Error)
	}
	if len(last.Error.Violations) != 1 || last.Error.Violations[0].Rule != "IMAGE_WINDOWS" {
		t.Errorf("%v", last.Error.Violations)
	}
	if last.Quota.Status != operationv1.QuotaStatus_QUOTA_STATUS_RELEASED {
		t.Errorf("%v", last.Quota)
	}
}

func TestARequestIDStartsOneOperationOnly(t *testing.T) {
	conn := plain(t)
	request := &exportv1.ExportImageRequest{RequestId: uuid.NewString(), Spec: onTencent("img-ubuntu01")}
	first, again := start(t, conn, request), start(t, conn, request)
	if again.Name != first.Name {
		t.Errorf("%s and %s", first.Name, again.Name)
	}
	request.Spec.OnlyRootDisk = true
	_, err := exportv1.NewExportServiceClient(conn).ExportImage(patient(t), request)
	if reason, _ := refused(t, err, codes.AlreadyExists); reason != "REQUEST_ID_REUSED" {
		t.Errorf("reason %q", reason)
	}
	wantState(t, ended(t, conn, first.Name), operationv1.OperationState_OPERATION_STATE_SUCCEEDED)
}

func TestAnExportIsWatchedToItsProof(t *testing.T) {
	conn := plain(t)
	spec := onTencent("img-debian01")
	spec.Prefix = proto.String("tour")
	last, err := exportImage(patient(t), conn, spec)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, last, operationv1.OperationState_OPERATION_STATE_SUCCEEDED)
	disks := last.GetExportResult().GetArtifacts()
	if len(disks) != 3 || disks[0].Disk.Role != imagev1.DiskRole_DISK_ROLE_SYSTEM {
		t.Fatalf("%v", disks)
	}
	links := &exportv1.CreateDownloadUrlsRequest{OperationName: last.Name}
	urls, err := exportv1.NewExportServiceClient(conn).CreateDownloadUrls(patient(t), links)
	if err != nil {
		t.Fatal(err)
	}
	for index, disk := range disks {
		if !strings.HasPrefix(disk.Key, "tour") || disk.SizeBytes == 0 || disk.Etag == "" {
			t.Errorf("%v", disk)
		}
		if urls.Urls[index].Artifact.Key != disk.Key {
			t.Errorf("no link to %v", disk)
		}
	}
}

func TestADeadlineEndsTheWatchAndACancelEndsTheOperation(t *testing.T) {
	conn := plain(t)
	steering := operationv1.NewOperationServiceClient(conn)
	started := start(t, conn, &exportv1.ExportImageRequest{Spec: onAlibaba("m-bp1sampanubuntu00001")})
	short, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	states, err := steering.WatchOperation(short, &operationv1.WatchOperationRequest{Name: started.Name})
	for err == nil {
		_, err = states.Recv()
	}
	if err == io.EOF || status.Code(err) != codes.DeadlineExceeded {
		t.Fatalf("want DeadlineExceeded, got %v", err)
	}
	cancel := &operationv1.CancelOperationRequest{Name: started.Name}
	cancelling, err := steering.CancelOperation(patient(t), cancel)
	if err != nil {
		t.Fatal(err)
	}
	cancelled := operationv1.OperationState_OPERATION_STATE_CANCELLED
	wantState(t, cancelling.Operation, operationv1.OperationState_OPERATION_STATE_CANCELLING, cancelled)
	wantState(t, ended(t, conn, started.Name), cancelled)
	_, err = steering.CancelOperation(patient(t), cancel)
	refused(t, err, codes.FailedPrecondition)
}

func TestTheQuotaOfTheDayAddsUp(t *testing.T) {
	request := &quotav1.GetQuotaRequest{Cloud: imagev1.Cloud_CLOUD_TENCENT, Account: "tencent", Region: "ap-guangzhou"}
	answer, err := quotav1.NewQuotaServiceClient(plain(t)).GetQuota(patient(t), request)
	if err != nil {
		t.Fatal(err)
	}
	day := answer.Quota
	if day.GetDailyLimit() != 5 || day.Used+day.Reserved+day.SpentElsewhere+day.GetRemaining() != 5 {
		t.Errorf("%v", day)
	}
	if day.TimeZone != "UTC+08:00" || day.ResetTime == nil {
		t.Errorf("%v", day)
	}
}

func TestAnEstimateHasASourceForEveryPrice(t *testing.T) {
	request := &billingv1.EstimateExportRequest{
		Cloud:     imagev1.Cloud_CLOUD_TENCENT,
		Site:      billingv1.Site_SITE_INTL,
		Region:    "ap-guangzhou",
		Disks:     []*billingv1.DiskSize{{CapacityBytes: 50 << 30}},
		Downloads: &billingv1.Downloads{PublicCount: 1},
	}
	answer, err := billingv1.NewBillingEstimatorServiceClient(plain(t)).EstimateExport(patient(t), request)
	if err != nil {
		t.Fatal(err)
	}
	estimate := answer.Estimate
	if !(amount(t, estimate.Total.Low) <= amount(t, estimate.Total.Expected)) ||
		!(amount(t, estimate.Total.Expected) <= amount(t, estimate.Total.High)) || estimate.Currency != "USD" {
		t.Errorf("%v", estimate.Total)
	}
	priced := 0
	for _, line := range estimate.Lines {
		if line.Status != billingv1.LineStatus_LINE_STATUS_PRICED {
			continue
		}
		priced++
		if line.UnitPrice.Source == "" || line.UnitPrice.SourceDate == "" {
			t.Errorf("%v", line)
		}
	}
	if priced == 0 {
		t.Errorf("no priced line in %v", estimate)
	}
}

func amount(t *testing.T, text string) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestTLSAndATokenOpenTheDoor(t *testing.T) {
	conn := secure(t, grpc.WithPerRPCCredentials(bearer(os.Getenv("SAMPAN_TOKEN"))))
	request := &quotav1.ListQuotasRequest{}
	if _, err := quotav1.NewQuotaServiceClient(conn).ListQuotas(patient(t), request); err != nil {
		t.Fatal(err)
	}
	// The public authorities know nothing of this server.
	public := grpc.WithTransportCredentials(credentials.NewTLS(nil))
	stranger := connected(t, os.Getenv("SAMPAN_SECURE_TARGET"), public)
	_, err := quotav1.NewQuotaServiceClient(stranger).ListQuotas(patient(t), request)
	refused(t, err, codes.Unavailable)
}

func TestWithoutAGoodTokenTheDoorStaysShut(t *testing.T) {
	for _, conn := range []*grpc.ClientConn{secure(t), secure(t, grpc.WithPerRPCCredentials(bearer("not.a.token")))} {
		_, err := quotav1.NewQuotaServiceClient(conn).ListQuotas(patient(t), &quotav1.ListQuotasRequest{})
		refused(t, err, codes.Unauthenticated)
	}
}
