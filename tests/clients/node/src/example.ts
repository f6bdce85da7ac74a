// An export from the preview to the proof; the part between the marks stands in the README.

// [README
import { randomUUID } from "node:crypto";
import type { ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { ExportImageResponse, ExportServiceClient, ExportSpec, PreviewExportResponse } from "../gen/sampan/export/v1/export_service.js";
import { Operation } from "../gen/sampan/operation/v1/operation.js";
import { OperationServiceClient } from "../gen/sampan/operation/v1/operation_service.js";

export async function exportImage(address: string, credentials: ChannelCredentials, spec: ExportSpec): Promise<Operation> {
  const exports = new ExportServiceClient(address, credentials);
  const preview = await answer<PreviewExportResponse>((done) => exports.previewExport({ spec }, done));
  if (preview.violations.length > 0) {
    throw new Error(preview.violations.map((found) => `${found.rule}: ${found.message}. ${found.fix}`).join("\n"));
  }

  // Keep the request id: sending it again returns this export instead of starting a second one.
  const request = { requestId: randomUUID(), spec, labels: {} };
  const started = await answer<ExportImageResponse>((done) => exports.exportImage(request, done));
  let last = started.operation!;

  // Sends the current state at once, then each newer one, and ends with the operation.
  const operations = new OperationServiceClient(address, credentials);
  for await (const state of operations.watchOperation({ name: last.name })) {
    last = state.operation;
    console.log(last.name, last.step, last.progressPercent);
  }
  return last;
}

export function answer<T>(call: (done: (error: ServiceError | null, message: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, message) => (error ? reject(error) : resolve(message))));
}
// README]
