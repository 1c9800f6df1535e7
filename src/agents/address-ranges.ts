import { BlockList, isIPv4 } from 'node:net';

/** IPv4 ranges that are not public (IANA special-purpose registry, RFC 6890), multicast and reserved ones among them. */
const notPublicV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Inside 2000::/3, which alone is public: protocol assignments with Teredo, documentation, 6to4, and SRv6. */
const notPublicV6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const refusedV4 = new BlockList();
for (const [network, prefix] of notPublicV4) refusedV4.addSubnet(network, prefix, 'ipv4');
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
const refusedV6 = new BlockList();
for (const [network, prefix] of notPublicV6) refusedV6.addSubnet(network, prefix, 'ipv6');
const mappedV4 = new BlockList();
mappedV4.addSubnet('::ffff:0:0', 96, 'ipv6');

/**
 * Whether an IP address belongs to the public Internet. Private, loopback, link-local, shared, reserved and multicast ranges
 * do not. An IPv4 address inside an IPv6 one (`::ffff:a.b.c.d`) is judged as itself; other ways of wrapping one are refused.
 * @param address as `net.isIP` accepts it; a zone (`fe80::1%eth0`) is left out of account
 */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  if (isIPv4(bare)) return !refusedV4.check(bare, 'ipv4');
  // A block list compares an address of the mapped range with its IPv4 rules.
  if (mappedV4.check(bare, 'ipv6')) return !refusedV4.check(bare, 'ipv6');
  return globalV6.check(bare, 'ipv6') && !refusedV6.check(bare, 'ipv6');
}
