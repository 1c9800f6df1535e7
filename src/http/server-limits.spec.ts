import { createServer } from 'node:http';
import { limitServer } from './server-limits';

const limits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxConnections: 10_000,
  maxRequestsPerSocket: 100_000,
};

describe('the limits of the server', () => {
  it('B48: are set on it', () => {
    const server = createServer();
    limitServer(server, limits);
    expect(server).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      maxConnections: 10_000,
      maxRequestsPerSocket: 100_000,
    });
  });

  it('never give the head more time than the whole', () => {
    const server = createServer();
    limitServer(server, { ...limits, requestTimeoutMs: 2_000 });
    expect([server.headersTimeout, server.requestTimeout]).toEqual([2_000, 2_000]);
  });
});
