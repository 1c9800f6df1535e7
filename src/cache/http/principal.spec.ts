import { checkTag } from '../core';
import { principalParts, principalTag, type Principal, type PrincipalScope } from './principal';

const bob = { user: 'bob', tenant: 'acme' };

describe('the principal of a request', () => {
  it.each<
    [string, PrincipalScope, Principal | undefined, boolean, [string | undefined, string[]] | undefined]
  >([
    ['none: everybody shares an entry', 'none', bob, false, [undefined, []]],
    ['user: it is in the key', 'user', bob, true, ['!user=3:bob', ['user:bob', 'tenant:acme']]],
    ['tenant: it is in the key, the user is not', 'tenant', bob, true, ['!tenant=4:acme', ['tenant:acme']]],
    ['anonymous, without credentials: an entry apart', 'user', undefined, false, ['!anonymous', []]],
    ['anonymous under tenant: apart as well', 'tenant', undefined, false, ['!anonymous', []]],
    ['credentials that name nobody: past the cache (RFC 9111 §3.5)', 'user', undefined, true, undefined],
    ['a user without a tenant, under tenant', 'tenant', { user: 'bob' }, true, undefined],
    ['a tenant without a user, under user', 'user', { tenant: 'acme' }, true, undefined],
    ['an empty id', 'user', { user: '' }, true, undefined],
  ])('%s', (_title, scope, principal, hasCredentials, expected) => {
    const parts = principalParts(scope, principal, hasCredentials);
    expect(parts && [parts.keyPart, parts.tags]).toEqual(expected);
  });

  it('has a part of the key that no other id can imitate', () => {
    const part = (user: string): string | undefined => principalParts('user', { user }, true)?.keyPart;
    expect(part('a|!user=1:b')).not.toContain('|');
    expect(new Set(['a', 'A', 'a ', 'ä', 'a\u0308'].map(part)).size).toBe(5);
  });

  it.each(['bob', 'a,b', 'a b', 'ü', '!x', 'x'.repeat(200), '\ud800'])(
    'has a tag that may be one, for the id %j',
    id => {
      expect(() => checkTag(principalTag('user', id))).not.toThrow();
      expect(principalTag('user', id)).toMatch(/^user:/);
    },
  );
});
