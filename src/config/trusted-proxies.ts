import { isIP } from 'node:net';
import { Refusal } from './setting';

/** A proxy whose `X-Forwarded-For` is believed: an address, or a network with the bits of its prefix. */
export interface TrustedProxy {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly bits: number;
}

/** Reads `TRUSTED_PROXIES`: a comma list, or a YAML list, of IP addresses and networks such as `10.0.0.0/8`. */
export function trustedProxies(value: unknown): readonly TrustedProxy[] | Refusal {
  const rule = 'must be a comma-separated list of IP addresses and networks such as 10.0.0.0/8';
  const list: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',')
      : [value];
  const proxies: TrustedProxy[] = [];
  for (const item of list) {
    const proxy = typeof item === 'string' ? networkOf(item.trim()) : undefined;
    if (!proxy) return new Refusal(rule);
    proxies.push(proxy);
  }
  return proxies;
}

function networkOf(text: string): TrustedProxy | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const all = version === 4 ? 32 : 128;
  const count = bits === undefined ? all : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (count < 1 || count > all) return undefined; // /0 would believe everybody
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', bits: count };
}
