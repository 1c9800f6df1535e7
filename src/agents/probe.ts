import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './address-ranges';

/** The limit of a whole probe: name, connection, and the head of the answer. */
export const probeTimeoutMs = 2_000;
/** Bytes of the head of an answer. */
const maxHeaderBytes = 8 * 1_024;

/** The address is not public, and the configuration does not allow others. */
export class AddressRefusedError extends Error {
  constructor(host: string) {
    super(`${host} has no public address`);
    this.name = 'AddressRefusedError';
  }
}

export interface ProbeOptions {
  /** Also addresses that are not public. Default false. */
  allowPrivate?: boolean;
  /** In milliseconds. Default 2,000. */
  timeoutMs?: number;
  /** Gives the probe up. */
  signal?: AbortSignal;
  /** How names become addresses. Default: as the system does it. */
  resolve?: typeof systemLookup;
}

/**
 * Asks `{url}/health` once: 2xx is healthy, every other answer is unhealthy, a redirect too, for it is not followed. Of the
 * answer only the head is read. Which address is allowed is decided where the connection looks it up, so that a name that
 * means something else a moment later (DNS rebinding) gains nothing.
 * @throws AddressRefusedError before anything is sent; any other error when there was no answer
 */
export function probe(url: string, options: ProbeOptions = {}): Promise<'healthy' | 'unhealthy'> {
  const { allowPrivate = false, timeoutMs = probeTimeoutMs, signal, resolve = systemLookup } = options;
  const target = healthUrl(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  // A connection to an address does no lookup.
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host))
    return Promise.reject(new AddressRefusedError(host));
  const limit = AbortSignal.timeout(timeoutMs);
  const request: RequestOptions = {
    method: 'GET',
    headers: { Accept: 'application/json', 'User-Agent': 'sutazai-backend' },
    agent: false,
    maxHeaderSize: maxHeaderBytes,
    lookup: allowPrivate ? resolve : publicLookup(resolve),
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  };
  return new Promise((done, fail) => {
    const send = target.protocol === 'https:' ? requestHttps : requestHttp;
    send(target, request)
      .once('response', response => {
        const { statusCode = 0 } = response;
        response.destroy(); // unread: a body of any length costs nothing
        done(statusCode >= 200 && statusCode < 300 ? 'healthy' : 'unhealthy');
      })
      // 101 that nobody asked for: Node leaves the connection, and its end, to whoever listens, and the signal ends it no more.
      .once('upgrade', (_response, socket) => {
        socket.destroy();
        done('unhealthy');
      })
      .on('error', fail)
      // Last of all, whichever way it ended: nothing that Node does leaves a probe without an end.
      .once('close', () => fail(new Error('closed without an answer')))
      .end();
  });
}

/** `{url}/health`; query and fragment belong to something else. */
export function healthUrl(url: string): URL {
  const target = new URL(url);
  target.pathname = `${target.pathname.replace(/\/+$/, '')}/health`;
  target.search = target.hash = '';
  return target;
}

/** Looks names up and gives the connection none but their public addresses. */
export function publicLookup(resolve: typeof systemLookup): LookupFunction {
  return (host, options: LookupOptions, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, []);
      const allowed = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = allowed;
      if (!first) return callback(new AddressRefusedError(host), []);
      if (options.all === true) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}
