// How a client connects, and how it reads a refusal.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { credentials, Metadata, status, type CallOptions, type ChannelCredentials, type ServiceError } from "@grpc/grpc-js";

import { BadRequest, ErrorInfo } from "../gen/google/rpc/error_details.js";
import { Status } from "../gen/google/rpc/status.js";
import { answer } from "./example.js";

export const target = wanted("SAMPAN_TARGET");
export const secureTarget = wanted("SAMPAN_SECURE_TARGET");
export const plain = credentials.createInsecure();

/** Returns TLS, and the token with every call. */
export function secure(token?: string): ChannelCredentials {
  const tls = credentials.createSsl(readFileSync(wanted("SAMPAN_TLS_CA")));
  if (token === undefined) {
    return tls;
  }
  const bearer = credentials.createFromMetadataGenerator((_, done) => {
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    done(null, metadata);
  });
  return credentials.combineChannelCredentials(tls, bearer);
}

type Unary<Q, A> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, message: A) => void,
) => unknown;

/** Makes a call that ends in half a minute at the latest. */
export function call<Q, A>(client: object, method: Unary<Q, A>, request: Q): Promise<A> {
  return answer<A>((done) => method.call(client, request, new Metadata(), { deadline: Date.now() + 30_000 }, done));
}

/** Awaits a refusal with that code, and returns its stable word and its wrong fields. */
export async function refused(promise: Promise<unknown>, code: status) {
  const error: ServiceError = await promise.then(
    () => assert.fail("the call was not refused"),
    (error) => error,
  );
  assert.equal(error.code, code, error.message);
  const found = { reason: "", fields: {} as Record<string, string> };
  const [packed] = error.metadata.get("grpc-status-details-bin");
  for (const detail of packed === undefined ? [] : Status.decode(packed as Buffer).details) {
    if (detail.typeUrl.endsWith("/google.rpc.ErrorInfo")) {
      const info = ErrorInfo.decode(detail.value);
      assert.equal(info.domain, "sampan");
      found.reason = info.reason;
    } else if (detail.typeUrl.endsWith("/google.rpc.BadRequest")) {
      for (const violation of BadRequest.decode(detail.value).fieldViolations) {
        found.fields[violation.field] = violation.reason;
      }
    }
  }
  return found;
}

/** Returns a variable that the runner sets. */
export function wanted(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; start the tour with tests/clients/run.py`);
  return value;
}
