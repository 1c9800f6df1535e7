import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { TrustedProxy } from '../config/trusted-proxies';

/** A client may be given a whole /64 of IPv6; its addresses count as one. */
const groupsOfNetwork = 4;
const maxHops = 32;

/**
 * Tells whose limits a request counts against: the peer of the socket, or, when that is a trusted proxy, the nearest
 * address of `X-Forwarded-For` that is not one. Anybody can write the header; only what a trusted proxy appended is read,
 * from the right.
 */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #trustsAny: boolean;

  constructor(trusted: readonly TrustedProxy[]) {
    for (const { address, family, bits } of trusted) this.#trusted.addSubnet(address, bits, family);
    this.#trustsAny = trusted.length > 0;
  }

  /** An IPv4 address, the /64 of an IPv6 address, or `unknown` when the socket is gone already. */
  of(request: IncomingMessage): string {
    const peer = plain(request.socket.remoteAddress);
    if (!this.#trustsAny || peer === undefined || !this.#isTrusted(peer)) return bucketOf(peer);
    const hops = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',').slice(-maxHops);
    let nearest = peer;
    for (const hop of hops.reverse()) {
      const address = plain(hop.trim());
      if (address === undefined) break; // not an address: what stands left of it proves nothing
      nearest = address;
      if (!this.#isTrusted(address)) break;
    }
    return bucketOf(nearest);
  }

  #isTrusted(address: string): boolean {
    return this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

/** An address without zone, brackets, port or IPv4 mapping; undefined for what is none. */
function plain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bare = (/^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? text).replace(/%.*$/, '');
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(bare)?.[1] ?? bare; // prettier-ignore
  return isIP(address) === 0 ? undefined : address.toLowerCase();
}

function bucketOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  if (isIP(address) === 4) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(zeros, 0)).fill('0'), ...right];
  return `${groups.slice(0, groupsOfNetwork).join(':')}::/64`;
}
