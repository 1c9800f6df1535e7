import { definePolicy, type TieredCache } from '../../src/cache/core';
import { cacheNode, coherentNode, eventually, held } from './cache-node';
import { RedisServer } from './redis-server';

describe('explain, on Redis', () => {
  let redis: RedisServer;
  const nodes: TieredCache[] = [];
  const keep = (cache: TieredCache): TieredCache => (nodes.push(cache), cache);

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(node => node.close()));
    await redis.admin().flushall();
  });
  afterAll(() => redis.stop());

  test('tells both tiers, with the same age and the same tags', async () => {
    const a = keep(await coherentNode(redis));
    await a.getOrSet('k', () => 'v', { tags: ['t'] });
    // Redis announces our own fill, too: the copy in L1 comes with a later read.
    await eventually(async () => (await a.lookup('k', () => 'v')).outcome === 'l1_hit');
    const explained = await a.explain('k');
    expect(explained.entries.map(({ tier, home, served }) => [tier, home, served])).toEqual([
      ['l1', 'shared', true],
      ['l2', 'shared', true],
    ]);
    for (const entry of explained.entries) {
      expect(entry.ageMs).toBeLessThan(10_000);
      expect(entry.freshMs).toBeGreaterThan(0);
      expect(entry.dependsOn).toEqual([
        { kind: 'namespace', name: 'namespace', valid: true },
        { kind: 'tag', name: 't', valid: true },
      ]);
    }
    expect(explained).toMatchObject({ redis: true, lease: undefined, gate: { open: true } });
  });

  test('an entry under an invalidated tag is there, and the tag is named', async () => {
    const a = keep(await coherentNode(redis));
    const policy = definePolicy('p', { tier: 'redis' });
    await a.getOrSet('k', () => 'v', { policy, tags: ['t', 'u'] });
    await a.invalidateTags(['t']);
    const [entry] = (await a.explain('k')).entries;
    expect(entry).toMatchObject({ tier: 'l2', home: 'redis', served: false, why: 'invalidated' });
    expect(entry!.dependsOn).toContainEqual({ kind: 'tag', name: 't', valid: false });
    expect(entry!.dependsOn).toContainEqual({ kind: 'tag', name: 'u', valid: true });
  });

  test('who holds the lease: this instance, or another', async () => {
    const [a, b] = [keep(await coherentNode(redis)), keep(await coherentNode(redis))];
    const loading = held<string>();
    let started = false;
    const answer = a.getOrSet('k', () => ((started = true), loading.promise));
    await eventually(() => started);
    expect(await a.explain('k')).toMatchObject({ loadsHere: 1, lease: { here: true } });
    expect(await b.explain('k')).toMatchObject({ loadsHere: 0, lease: { here: false } });
    loading.release('v');
    await answer;
    expect((await a.explain('k')).lease).toBeUndefined();
  });

  test('bytes that are no entry are shown with what is wrong', async () => {
    const a = keep(await coherentNode(redis));
    await redis.admin().set('test:1:d:{k}', 'x'.repeat(100));
    expect((await a.explain('k')).entries).toMatchObject([
      { served: false, why: 'unreadable', fault: 'magic', bytes: 100 },
    ]);
  });

  test('a value of another type is no entry', async () => {
    const a = keep(await coherentNode(redis));
    await redis.admin().lpush('test:1:d:{k}', 'x');
    expect(await a.explain('k')).toMatchObject({ entries: [], redis: true });
  });

  test('with Redis away it tells what this process knows, and what it cannot know', async () => {
    const away = { ...redis, client: () => redis.client({ port: 1 }) } as unknown as RedisServer;
    const a = keep(cacheNode(away));
    await a.ready();
    await a.getOrSet('k', () => 'v', { tags: ['t'] });
    await a.invalidateKeys(['other']);
    expect(await a.explain('other')).toMatchObject({ redis: false, pendingInvalidation: true });
    expect(await a.explain('k')).toMatchObject({
      redis: false,
      entries: [{ tier: 'l1', served: true, dependsOn: [{ valid: true }, { kind: 'tag', valid: true }] }],
    });
  });
});
