import type { Redis } from 'ioredis';
import type { TieredCache } from '../../src/cache/core';
import { coherentNode, eventually } from '../integration/cache-node';
import { RedisServer } from '../integration/redis-server';

/**
 * Damage to replies that still parses. A client of Redis tells replies apart by their order alone, so that after one that
 * cannot be, none on that connection is to be believed.
 */
describe('a reply that the command cannot have', () => {
  let redis: RedisServer;
  let cache: TieredCache;
  const clients: Redis[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(async () => {
    clients.length = 0;
    cache = await coherentNode(redis, { onDataClient: client => clients.push(client) });
  });
  afterEach(() => cache.close());
  afterAll(() => redis.stop());

  /** From now until the connection is made anew, every reply to the command is another one. */
  const damage = (command: string, reply: unknown): void => {
    for (const client of clients) {
      const commands = client as unknown as Record<string, unknown>;
      const whole = commands[command];
      commands[command] = () => Promise.resolve(reply);
      client.once('close', () => (commands[command] = whole));
    }
  };

  test.each([
    ['mgetBuffer', null],
    ['mgetBuffer', [Buffer.from('one too few')]],
    ['cacheGetlBuffer', null],
    ['cacheGetlBuffer', [129]],
    ['cacheTok', null],
    ['cacheTok', [null]],
  ])('%s %p: the caller gets what is loaded, and the connection is made anew', async (command, reply) => {
    const key = `k ${command} ${JSON.stringify(reply)}`;
    const states: string[] = [];
    cache.events.on('remote', ({ state }) => states.push(state));
    damage(command, reply);
    expect(await cache.getOrSet(key, () => 'v', { tags: ['t'] })).toBe('v');
    await eventually(() => states.includes('down') && cache.status().remote.state === 'up');
    await eventually(async () => (await cache.lookup(key, () => 'again', { tags: ['t'] })).source !== 'load');
  });

  test.each([
    ['cacheInv', null],
    ['cacheInv', 129],
    ['unlink', null],
  ])('%s %p: the invalidation is not confirmed, and is made all the same', async (command, reply) => {
    await cache.getOrSet('k', () => 'old', { tags: ['t'] });
    damage(command, reply);
    const what = command === 'unlink' ? { tags: ['t'] } : { keys: ['k'] };
    expect(await cache.invalidate(what)).toEqual({ applied: false, queued: true });
    await eventually(() => cache.status().pendingInvalidations === 0);
    expect(await cache.getOrSet('k', () => 'new', { tags: ['t'] })).toBe('new');
  });

  test('scan with a damaged name: a clear by pattern does not say that it is done', async () => {
    await cache.getOrSet('k', () => 'v');
    damage('scan', ['0', ['test:1:d:{\xeb}']]);
    await expect(cache.clearMatching('*')).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
  });
});
