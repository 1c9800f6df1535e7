import type { IncomingMessage } from 'node:http';
import { isForUs } from './host-check';

const allowed = new Set(['api.example.com', '[::1]']);
const asking = (host: string | undefined, url = '/api/v1/agents'): IncomingMessage =>
  ({ url, headers: { host } }) as IncomingMessage;

describe('a request (RFC 9110 §7.4, RFC 9112 §3.2.2)', () => {
  it.each<[boolean, string | undefined, string | undefined]>([
    [true, 'api.example.com', undefined],
    [true, 'API.example.com:10010', undefined],
    [true, '[::1]:80', undefined],
    [false, 'evil.example', undefined],
    [false, 'api.example.com.evil.example', undefined],
    [false, undefined, undefined],
    [false, 'api.example.com', 'http://evil.example/api/v1/agents'],
    [true, 'evil.example', 'http://api.example.com/api/v1/agents'],
    [false, 'evil.example', 'http://api.example.com@evil.example/'],
    [true, '10.0.0.7:8080', '/health/live'],
    [false, '10.0.0.7:8080', '/healthy'],
  ])('is for us: %s, with the Host %s and the target %s', (expected, host, url) => {
    expect(isForUs(asking(host, url), allowed)).toBe(expected);
  });

  it('is for us whatever it asks for, when no hosts are listed', () => {
    expect(isForUs(asking('evil.example'), undefined)).toBe(true);
  });
});
