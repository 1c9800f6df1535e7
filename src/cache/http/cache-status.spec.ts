import { outcomes } from '../core';
import { bypassStatus, cacheStatus } from './cache-status';

const answer = { source: 'l1' as const, freshMs: 27_900, stored: true };

describe('Cache-Status (RFC 9211)', () => {
  it.each([
    [cacheStatus({ ...answer, outcome: 'l1_hit' }), 'sutazai; hit; ttl=27; detail=l1'],
    [cacheStatus({ ...answer, outcome: 'l2_hit', source: 'l2' }), 'sutazai; hit; ttl=27; detail=l2'],
    [cacheStatus({ ...answer, outcome: 'negative_hit', source: 'l2' }), 'sutazai; hit; ttl=27; detail=l2'],
    [cacheStatus({ ...answer, outcome: 'stale_hit', freshMs: -2_500 }), 'sutazai; hit; ttl=-3; detail=stale'],
    [cacheStatus({ ...answer, outcome: 'miss', source: 'load' }), 'sutazai; fwd=uri-miss; stored'],
    [cacheStatus({ ...answer, outcome: 'miss', source: 'load', stored: false }), 'sutazai; fwd=uri-miss'],
    [
      cacheStatus({ ...answer, outcome: 'miss', source: 'load', stored: false }, 'set-cookie'),
      'sutazai; fwd=uri-miss; detail=set-cookie',
    ],
    [cacheStatus({ ...answer, outcome: 'coalesced', source: 'load' }), 'sutazai; fwd=uri-miss; collapsed'],
    [bypassStatus('authorization'), 'sutazai; fwd=bypass; detail=authorization'],
    [bypassStatus('method'), 'sutazai; fwd=method; detail=method'],
  ])('is %j', (header, expected) => {
    expect(header).toBe(expected);
  });

  it.each(outcomes)('is a list of one item with parameters for the outcome %s (RFC 8941 §3.1.2)', outcome => {
    expect(cacheStatus({ ...answer, outcome })).toMatch(
      /^sutazai(; [a-z][a-z-]*(=(-?\d+|[a-z][a-z0-9-]*))?)+$/,
    );
  });
});
