// The tour of the API in TypeScript, with nothing but generated stubs and @grpc/grpc-js.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { credentials, status } from "@grpc/grpc-js";

import { BillingEstimatorServiceClient, EstimateExportRequest } from "../gen/sampan/billing/v1/billing_estimator_service.js";
import { LineStatus, Site } from "../gen/sampan/billing/v1/estimate.js";
import { ExportServiceClient, ExportSpec } from "../gen/sampan/export/v1/export_service.js";
import { Cloud, DiskRole, Severity } from "../gen/sampan/image/v1/image.js";
import { Operation, OperationState, QuotaStatus } from "../gen/sampan/operation/v1/operation.js";
import { OperationServiceClient } from "../gen/sampan/operation/v1/operation_service.js";
import { QuotaServiceClient } from "../gen/sampan/quota/v1/quota_service.js";
import { call, plain, refused, secure, secureTarget, target, wanted } from "./connect.js";
import { exportImage } from "./example.js";

const exports = new ExportServiceClient(target, plain);
const steering = new OperationServiceClient(target, plain);
const everyQuota = { pageSize: 0, pageToken: "", cloud: Cloud.CLOUD_UNSPECIFIED, account: "" };

function onTencent(imageId: string, more: Partial<ExportSpec> = {}): ExportSpec {
  const image = { cloud: Cloud.CLOUD_TENCENT, account: "tencent", region: "ap-guangzhou", imageId };
  return ExportSpec.fromPartial({ image, bucket: "sampan-guangzhou-1250000000", ...more });
}

function onAlibaba(imageId: string): ExportSpec {
  const image = { cloud: Cloud.CLOUD_ALIBABA, account: "alibaba", region: "cn-hangzhou", imageId };
  return ExportSpec.fromPartial({ image, bucket: "sampan-hangzhou" });
}

async function start(spec: ExportSpec, requestId = ""): Promise<Operation> {
  const answer = await call(exports, exports.exportImage, { requestId, spec, labels: {} });
  return answer.operation!;
}

async function ended(name: string): Promise<Operation> {
  const answer = await call(steering, steering.waitOperation, { name, timeout: { seconds: 29, nanos: 0 } });
  assert.ok(answer.operation?.done, JSON.stringify(answer));
  return answer.operation;
}

test("a preview names every violation at once", async () => {
  const spec = onTencent("img-windows1", { bucket: "nowhere-1250000000" });
  const answer = await call(exports, exports.previewExport, { spec });
  assert.equal(answer.startable, false);
  const found = new Map(answer.violations.map((violation) => [violation.rule, violation]));
  const windows = found.get("IMAGE_WINDOWS");
  assert.equal(windows?.severity, Severity.SEVERITY_ENFORCED);
  assert.ok(windows.message && windows.source && windows.fix);
  assert.equal(found.get("BUCKET_NOT_FOUND")?.field, "spec.bucket");
});

test("a refused start names every wrong field", async () => {
  const wrong = start(onTencent("img-ubuntu01", { bucket: "nowhere", prefix: "" }));
  assert.deepEqual(await refused(wrong, status.INVALID_ARGUMENT), {
    reason: "BUCKET_NAME_MALFORMED",
    fields: { "spec.bucket": "BUCKET_NAME_MALFORMED", "spec.prefix": "PREFIX_MALFORMED" },
  });
});

test("an operation that a rule forbids fails with the violations of its preview", async () => {
  const last = await ended((await start(onTencent("img-windows1"))).name);
  assert.equal(last.state, OperationState.OPERATION_STATE_FAILED);
  assert.equal(last.error?.code, status.FAILED_PRECONDITION);
  assert.deepEqual(last.error.violations.map((violation) => violation.rule), ["IMAGE_WINDOWS"]);
  assert.equal(last.quota?.status, QuotaStatus.QUOTA_STATUS_RELEASED);
});

test("a request id starts one operation only", async () => {
  const id = randomUUID();
  const first = await start(onTencent("img-ubuntu01"), id);
  assert.equal((await start(onTencent("img-ubuntu01"), id)).name, first.name);
  const other = start(onTencent("img-ubuntu01", { onlyRootDisk: true }), id);
  assert.equal((await refused(other, status.ALREADY_EXISTS)).reason, "REQUEST_ID_REUSED");
  assert.equal((await ended(first.name)).state, OperationState.OPERATION_STATE_SUCCEEDED);
});

test("an export is watched to its proof", async () => {
  const last = await exportImage(target, plain, onTencent("img-debian01", { prefix: "tour" }));
  assert.equal(last.state, OperationState.OPERATION_STATE_SUCCEEDED);
  const disks = last.exportResult!.artifacts;
  assert.deepEqual(disks.map((artifact) => artifact.disk?.role), [
    DiskRole.DISK_ROLE_SYSTEM,
    DiskRole.DISK_ROLE_DATA,
    DiskRole.DISK_ROLE_DATA,
  ]);
  assert.ok(disks.every((artifact) => artifact.key.startsWith("tour") && artifact.sizeBytes > 0 && artifact.etag));
  const links = { operationName: last.name, validFor: undefined };
  const { urls } = await call(exports, exports.createDownloadUrls, links);
  assert.deepEqual(urls.map((url) => url.artifact?.key), disks.map((artifact) => artifact.key));
});

test("a deadline ends the watch and a cancel ends the operation", async () => {
  const { name } = await start(onAlibaba("m-bp1sampanubuntu00001"));
  const states = steering.watchOperation({ name }, { deadline: Date.now() + 1000 });
  const watched = (async () => {
    for await (const state of states) {
      assert.equal(state.operation.done, false);
    }
  })();
  await refused(watched, status.DEADLINE_EXCEEDED);
  const cancel = { name, removeResult: false };
  const { operation } = await call(steering, steering.cancelOperation, cancel);
  const { OPERATION_STATE_CANCELLING, OPERATION_STATE_CANCELLED } = OperationState;
  assert.ok([OPERATION_STATE_CANCELLING, OPERATION_STATE_CANCELLED].includes(operation!.state));
  assert.equal((await ended(name)).state, OPERATION_STATE_CANCELLED);
  await refused(call(steering, steering.cancelOperation, cancel), status.FAILED_PRECONDITION);
});

test("the quota of the day adds up", async () => {
  const quotas = new QuotaServiceClient(target, plain);
  const lane = { cloud: Cloud.CLOUD_TENCENT, account: "tencent", region: "ap-guangzhou" };
  const { quota } = await call(quotas, quotas.getQuota, lane);
  assert.equal(quota?.dailyLimit, 5);
  assert.equal(quota.used + quota.reserved + quota.spentElsewhere + quota.remaining!, 5);
  assert.equal(quota.timeZone, "UTC+08:00");
  assert.ok(quota.resetTime);
});

test("an estimate has a source for every price", async () => {
  const billing = new BillingEstimatorServiceClient(target, plain);
  const request = EstimateExportRequest.fromPartial({
    cloud: Cloud.CLOUD_TENCENT,
    site: Site.SITE_INTL,
    region: "ap-guangzhou",
    disks: [{ capacityBytes: 50 * 2 ** 30 }],
    downloads: { publicCount: 1 },
  });
  const { estimate } = await call(billing, billing.estimateExport, request);
  assert.equal(estimate?.currency, "USD");
  const { low, expected, high } = estimate.total!;
  assert.ok(Number(low) <= Number(expected) && Number(expected) <= Number(high));
  const priced = estimate.lines.filter((line) => line.status === LineStatus.LINE_STATUS_PRICED);
  assert.ok(priced.length > 0);
  assert.ok(priced.every((line) => line.unitPrice?.source && line.unitPrice.sourceDate));
});

test("TLS and a token open the door", async () => {
  const trusted = new QuotaServiceClient(secureTarget, secure(wanted("SAMPAN_TOKEN")));
  await call(trusted, trusted.listQuotas, everyQuota);
  // The public authorities know nothing of this server.
  const stranger = new QuotaServiceClient(secureTarget, credentials.createSsl());
  await refused(call(stranger, stranger.listQuotas, everyQuota), status.UNAVAILABLE);
});

test("without a good token the door stays shut", async () => {
  for (const token of [undefined, "not.a.token"]) {
    const client = new QuotaServiceClient(secureTarget, secure(token));
    await refused(call(client, client.listQuotas, everyQuota), status.UNAUTHENTICATED);
  }
});
