import fc from 'fast-check';
import { isKeyValue, requestKey, type RoutedRequest } from './request-key';

const rules = {
  head: 'agents:list',
  query: ['limit', 'status'],
  headers: [{ name: 'accept-language', oneOf: undefined }],
};
const plain: RoutedRequest = { params: {}, query: {}, headers: {} };

describe('the key of a request (RFC 9111 §2: chosen by the cache from what selects a response)', () => {
  it.each<[string, Partial<RoutedRequest>, string]>([
    ['nothing', {}, 'agents:list'],
    [
      'query, sorted by name',
      { query: { status: 'idle', limit: '5' } },
      'agents:list|limit=1:5|status=4:idle',
    ],
    [
      'all values of a repeated query parameter, in their order',
      { query: { limit: ['5', '6'] } },
      'agents:list|limit=1:5,1:6',
    ],
    ['an empty value, which is not an absent one', { query: { limit: '' } }, 'agents:list|limit=0:'],
    ['path parameters', { params: { id: 'a/b' } }, 'agents:list|:id=3:a/b'],
    ['parameters of the host', { hosts: { tenant: 'acme' } }, 'agents:list|//tenant=4:acme'],
    ['the template of a handler with several', { template: '/v1/agents' }, 'agents:list|/10:/v1/agents'],
    [
      'declared headers in one form (RFC 9110 §5.3)',
      { headers: { 'accept-language': [' de  ;q=1', 'en '] } },
      'agents:list|@accept-language=15:de%20;q=1,%20en',
    ],
    ['the principal', { principalPart: '!user=3:bob' }, 'agents:list|!user=3:bob'],
    [
      'nothing of undeclared query and headers',
      { query: { utm: '1' }, headers: { 'user-agent': 'x' } },
      'agents:list',
    ],
  ])('holds %s', (_title, request, expected) => {
    expect(requestKey(rules, { ...plain, ...request })).toBe(expected);
  });

  it('holds the host of this process for a route about it, told apart from a parameter of that name', () => {
    const perHost = { ...rules, query: ['host'], host: 'a|b' };
    expect(requestKey(perHost, plain)).toBe('agents:list|!host=5:a%7Cb');
    expect(requestKey(perHost, { ...plain, query: { host: 'a' } })).toBe(
      'agents:list|host=1:a|!host=5:a%7Cb',
    );
  });

  it('is shared by two requests only when they say the same', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '|', '=', ':', ',', '1', '%', '/', '@'),
      maxLength: 4,
    });
    const values = fc.option(fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })), {
      nil: undefined,
    });
    const request = fc.record({
      params: fc.record({ id: text }),
      query: fc.record({ limit: values, status: values }),
      headers: fc.constant({}),
    });
    fc.assert(
      fc.property(request, request, (one, other) => {
        const same = JSON.stringify([one.params, one.query]) === JSON.stringify([other.params, other.query]);
        expect(requestKey(rules, one) === requestKey(rules, other)).toBe(same);
      }),
    );
  });

  it('holds what a route makes of a header instead of what was sent (RFC 9110 §12.5.4)', () => {
    const languages = { ...rules, headers: [{ name: 'accept-language', oneOf: ['en', 'de'] }] };
    const key = (value: string): string =>
      requestKey(languages, { ...plain, headers: { 'accept-language': value } });
    expect(['de-AT', 'de;q=0.8, xx', 'fr'].map(key)).toEqual([
      'agents:list|@accept-language=2:de',
      'agents:list|@accept-language=2:de',
      'agents:list|@accept-language=2:en',
    ]);
  });

  it('is refused for values that are neither text nor lists of texts', () => {
    expect(() => requestKey(rules, { ...plain, query: { limit: { gt: '1' } } })).toThrow(TypeError);
    expect([isKeyValue({}), isKeyValue(['a', {}]), isKeyValue(undefined)]).toEqual([false, false, true]);
  });
});
