import type { Server } from 'node:http';

export interface ServerLimits {
  /** Limit of receiving the head of a request. */
  readonly headersTimeoutMs: number;
  /** Limit of receiving a whole request, head and body. */
  readonly requestTimeoutMs: number;
  /** Connections at once; further ones are closed at once. */
  readonly maxConnections: number;
  /** Requests after which a kept connection is closed; 0 sets no limit. */
  readonly maxRequestsPerSocket: number;
}

/** Longer than load balancers keep a connection (60 s), so that they close it and not we under their next request. */
const keepAliveMs = 65_000;

/** Sets what one client may take of the server. Overdue requests are answered with 408 by `answerClientErrors`. */
export function limitServer(server: Server, limits: ServerLimits): void {
  server.headersTimeout = Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs);
  server.requestTimeout = limits.requestTimeoutMs;
  server.keepAliveTimeout = keepAliveMs;
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = limits.maxRequestsPerSocket;
}
