import {
  requestEligibility,
  responseRefusal,
  type EligibleRequest,
  type EligibleResponse,
} from './eligibility';

const get: EligibleRequest = { method: 'GET', headers: {}, params: {}, query: {} };
const ok: EligibleResponse = { status: 200, headers: { 'content-type': 'application/json' }, bodyBytes: 10 };
const rules = {
  statuses: new Set([200]),
  vary: new Set(['accept-language']),
  principal: 'none' as const,
  maxBodyBytes: 100,
};

const declaredQuery = new Set(['limit']);
const readOnly = ['only-if-cached', 'head', 'range', 'no-store'];

describe('a request', () => {
  it.each<[string, string, Partial<EligibleRequest>]>([
    ['store', 'a plain GET', {}],
    ['store', 'declared query', { query: { limit: '5' } }],
    [
      'store',
      'no-cache, which makes nobody load (RFC 9111 §5.2.1.4)',
      { headers: { 'cache-control': 'no-cache' } },
    ],
    ['store', 'an empty body (RFC 9110 §8.6)', { headers: { 'content-length': '0' } }],
    ['head', 'HEAD (RFC 9110 §9.3.2)', { method: 'HEAD' }],
    ['range', 'Range (RFC 9111 §3.3)', { headers: { range: 'bytes=0-1' } }],
    ['no-store', 'no-store (RFC 9111 §5.2.1.5)', { headers: { 'cache-control': 'max-age=0, no-store' } }],
    ['method', 'POST (RFC 9111 §3)', { method: 'POST' }],
    ['method', 'OPTIONS', { method: 'OPTIONS' }],
    ['body', 'a body', { headers: { 'content-length': '2' } }],
    ['body', 'a body of unknown length (RFC 9112 §6.1)', { headers: { 'transfer-encoding': 'chunked' } }],
    ['body', 'a length that is no number', { headers: { 'content-length': 'x' } }],
    ['authorization', 'Authorization (RFC 9111 §3.5)', { headers: { authorization: 'Bearer x' } }],
    ['authorization', 'Proxy-Authorization', { headers: { 'proxy-authorization': 'Basic x' } }],
    ['authorization', 'our API key', { headers: { 'x-api-key': '' } }],
    ['cookie', 'Cookie', { headers: { cookie: 'a=b' } }],
    ['certificate', 'a client certificate', { hasClientCertificate: true }],
    [
      'only-if-cached',
      'only-if-cached (RFC 9111 §5.2.1.7)',
      { headers: { 'cache-control': 'only-if-cached' } },
    ],
    ['cookie', 'HEAD with Cookie', { method: 'HEAD', headers: { cookie: 'a=b' } }],
    ['query', 'an undeclared query parameter', { query: { limit: '5', utm_source: 'x' } }],
    ['query', 'a nested one', { query: { limit: { gt: '5' } } }],
    ['params', 'a path parameter that is no text', { params: { id: {} } }],
  ])('is judged %s: %s', (expected, _title, request) => {
    const verdict = requestEligibility({ ...get, ...request }, { declaredQuery, principal: 'none' });
    expect(verdict.use === 'store' ? 'store' : verdict.reason).toBe(expected);
    expect(verdict.use === 'read').toBe(readOnly.includes(expected));
  });

  it.each<[string, Partial<EligibleRequest>]>([
    ['Authorization', { headers: { authorization: 'Bearer x' } }],
    ['Cookie', { headers: { cookie: 'a=b' } }],
    ['a client certificate', { hasClientCertificate: true }],
  ])('may carry %s where the key holds the principal (RFC 9111 §3.5)', (_title, request) => {
    const rules = { declaredQuery, principal: 'user' } as const;
    expect(requestEligibility({ ...get, ...request }, rules)).toEqual({ use: 'store' });
  });
});

describe('a response', () => {
  it.each<[string | undefined, string, Partial<EligibleResponse>]>([
    [undefined, 'a plain 200', {}],
    [undefined, 'public, max-age', { headers: { 'cache-control': 'public, max-age=60' } }],
    [undefined, 'a Vary that the key covers', { headers: { vary: 'Accept-Language' } }],
    [undefined, 'identity encoding', { headers: { 'content-encoding': 'identity' } }],
    ['status', '201 (RFC 9110 §15.1)', { status: 201 }],
    ['status', '404 without opting in', { status: 404 }],
    ['status', '500', { status: 500 }],
    ['partial', '206 (RFC 9111 §3.3)', { status: 206, headers: { 'content-range': 'bytes 0-1/2' } }],
    ['partial', 'a 200 that is a part', { headers: { 'content-range': 'bytes 0-1/2' } }],
    ['set-cookie', 'Set-Cookie (RFC 9111 §7.3)', { headers: { 'set-cookie': ['a=b'] } }],
    ['no-store', 'no-store (RFC 9111 §5.2.2.5)', { headers: { 'cache-control': 'No-Store' } }],
    ['private', 'private (RFC 9111 §5.2.2.7)', { headers: { 'cache-control': 'private="x-a", max-age=5' } }],
    ['no-cache', 'no-cache (RFC 9111 §5.2.2.4)', { headers: { 'cache-control': 'no-cache' } }],
    ['no-cache', 'max-age=0', { headers: { 'cache-control': 'max-age=0' } }],
    [
      'no-cache',
      's-maxage=0, which beats max-age (RFC 9111 §5.2.2.10)',
      { headers: { 'cache-control': 'max-age=9, s-maxage=0' } },
    ],
    ['no-cache', 'Pragma without Cache-Control (RFC 9111 §5.4)', { headers: { pragma: 'no-cache' } }],
    ['vary', 'Vary: * (RFC 9111 §4.1)', { headers: { vary: '*' } }],
    ['vary', 'a Vary that the key does not cover', { headers: { vary: 'Accept-Language, Origin' } }],
    ['encoded', 'a compressed body', { headers: { 'content-encoding': 'gzip' } }],
    ['nonce', 'a nonce', { headers: { 'content-security-policy': "script-src 'nonce-abc'" } }],
    ['too-large', 'a body over the limit', { bodyBytes: 101 }],
  ])('is refused for %s: %s', (expected, _title, response) => {
    expect(responseRefusal({ ...ok, ...response }, rules)).toBe(expected);
  });

  it('that is private may be kept for its user, and not for a tenant (RFC 9111 §5.2.2.7)', () => {
    const response = { ...ok, headers: { 'cache-control': 'private' } };
    expect(responseRefusal(response, { ...rules, principal: 'user' })).toBeUndefined();
    expect(responseRefusal(response, { ...rules, principal: 'tenant' })).toBe('private');
  });
});
