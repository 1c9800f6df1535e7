import type { IncomingMessage } from 'node:http';
import { trustedProxies } from '../config/trusted-proxies';
import { Refusal } from '../config/setting';
import { ClientAddresses } from './client-address';

function of(trusted: string, peer: string | undefined, ...forwarded: string[]): string {
  const proxies = trusted === '' ? [] : trustedProxies(trusted);
  if (proxies instanceof Refusal) throw new Error(proxies.reason);
  const request = {
    socket: { remoteAddress: peer },
    headersDistinct: forwarded.length > 0 ? { 'x-forwarded-for': forwarded } : {},
  } as unknown as IncomingMessage;
  return new ClientAddresses(proxies).of(request);
}

describe('whom a request counts against', () => {
  it.each([
    ['the peer, without trusted proxies', of('', '192.0.2.1', '203.0.113.9'), '192.0.2.1'],
    ['the peer, when it is no trusted proxy', of('10.0.0.0/8', '192.0.2.1', '203.0.113.9'), '192.0.2.1'],
    ['the nearest address that is not trusted', of('10.0.0.0/8', '10.0.0.1', '203.0.113.9'), '203.0.113.9'],
    ['not what a client wrote left of it', of('10.0.0.1', '10.0.0.1', '1.1.1.1, 203.0.113.9'), '203.0.113.9'],
    [
      'through two trusted proxies',
      of('10.0.0.0/8', '10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2'),
      '203.0.113.9',
    ],
    ['through repeated headers', of('10.0.0.1', '10.0.0.1', '1.1.1.1', '203.0.113.9'), '203.0.113.9'],
    ['the proxy itself, when nothing is an address', of('10.0.0.1', '10.0.0.1', 'unknown'), '10.0.0.1'],
    ['the proxy itself, without the header', of('10.0.0.1', '10.0.0.1'), '10.0.0.1'],
    ['an IPv4 address however it is written', of('', '::ffff:192.0.2.1'), '192.0.2.1'],
    ['an address with its port', of('10.0.0.1', '10.0.0.1', '203.0.113.9:4711'), '203.0.113.9'],
    [
      'an IPv6 address with brackets and port',
      of('10.0.0.1', '10.0.0.1', '[2001:db8::1]:80'),
      '2001:db8:0:0::/64',
    ],
    ['all addresses of a /64 as one', of('', '2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64'],
    ['an IPv6 proxy', of('fd00::/8', 'fd00::1', '203.0.113.9'), '203.0.113.9'],
    ['nobody, when the socket is gone', of('', undefined), 'unknown'],
  ])('is %s', (_what, found, expected) => {
    expect(found).toBe(expected);
  });

  it.each(['all', '10.0.0.0/33', '10.0.0.1/0', '::/0', '10.0.0.1/8/9', '10.0.0', '', '10.0.0.1,'])(
    'cannot be told by trusting %j',
    value => {
      expect(trustedProxies(value)).toBeInstanceOf(Refusal);
    },
  );
});
