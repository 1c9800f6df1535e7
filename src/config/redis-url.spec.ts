import { redisTarget } from './redis-url';

describe('where REDIS_URL leads', () => {
  it('to a single server: as it stands', () => {
    expect(redisTarget('rediss://u:p@h:1/2')).toEqual({ kind: 'single', url: 'rediss://u:p@h:1/2' });
  });

  it('to the master of Sentinels', () => {
    expect(redisTarget('redis+sentinel://app:p%40ss%3A@s1:26380,s2/my-master')).toEqual({
      kind: 'sentinel',
      sentinels: [
        { host: 's1', port: 26_380 },
        { host: 's2', port: 26_379 },
      ],
      name: 'my-master',
      user: 'app',
      password: 'p@ss:',
    });
  });

  it('to the nodes of a Cluster', () => {
    expect(redisTarget('redis+cluster://:secret@[::1]:7001,10.0.0.2')).toEqual({
      kind: 'cluster',
      seeds: [
        { host: '::1', port: 7_001 },
        { host: '10.0.0.2', port: 6_379 },
      ],
      password: 'secret',
    });
  });
});
