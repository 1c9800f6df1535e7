import type { IncomingMessage } from 'node:http';

const forwardingHeaders = new Set([
  'forwarded', 'via', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-original-host', 'x-original-url', 'x-rewrite-url',
  'x-host', 'true-client-ip', 'cf-connecting-ip', 'fastly-client-ip', 'x-envoy-external-address', 'x-appengine-user-ip',
  'x-original-forwarded-for', 'x-remote-addr', 'x-remote-ip', 'client-ip', 'x-proxyuser-ip', 'x-azure-clientip', 'cdn-loop',
]); // prettier-ignore

/**
 * Why a request does not count as made by a person or program on this machine, or undefined when it does. The peer's
 * socket address decides; the headers show that somebody else stands behind it: a proxy (it forwards), a name that was
 * rebound to this machine (foreign `Host`), or a page of another site in a browser here (`Origin`, `Sec-Fetch-Site`).
 */
export function notLocalReason(request: IncomingMessage): string | undefined {
  if (!isLoopbackAddress(request.socket.remoteAddress)) return 'the request comes from another machine';
  const { headers } = request;
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-forwarded-') || forwardingHeaders.has(name)) return 'the request was forwarded';
  }
  const host = headers.host;
  if (host === undefined || !isLoopbackHost(host)) return 'the Host is not a name of this machine';
  if (headers.origin !== undefined && !isSameOrigin(headers.origin, host))
    return 'the Origin is another site';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'the request was made by another site';
  return undefined;
}

export function isLoopbackAddress(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address ?? '');
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin.toLowerCase() === `http://${host.toLowerCase()}`;
}
