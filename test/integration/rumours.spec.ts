import type { Redis } from 'ioredis';
import { eventually, held } from './cache-node';
import { redisNodes } from './redis-nodes';

/** Word of tokens that comes while a load is looking for its place. */
describe('a rumour', () => {
  const on = redisNodes();
  const { node } = on;

  test('of a token that only an invalid entry depends on does not cost a load its lease', async () => {
    const clients: Redis[] = [];
    const a = await node({ onDataClient: client => clients.push(client) });
    const b = await node();
    await b.getOrSet('k', () => 'old', { tags: ['t'] });
    await b.invalidateTags(['t']);
    await a.getOrSet('mark', () => 'here');
    await eventually(async () => (await a.lookup('mark', () => 'x')).source === 'l1');

    const reply = held<void>();
    const taken = holdLeases(clients, reply.promise);
    const answer = a.lookup('k', async () => {
      // In the order of the connections: what was to be read has been read, what was to be written has been written.
      await a.get('nothing');
      await a.claim('nothing', 1_000);
      return 'new';
    });
    await taken;
    // Makes the token anew, which is announced; and when the word after it has been heard, so has that one.
    await b.getOrSet('other', () => 'v', { tags: ['t'] });
    await b.invalidateKeys(['mark']);
    await eventually(() => a.status().l1Entries === 0);
    reply.release();

    expect(await answer).toMatchObject({ value: 'new', stored: true });
  });

  test('of a token of Redis does not end a load that goes on without Redis: others join it', async () => {
    const clients: Redis[] = [];
    const a = await node({ onDataClient: client => clients.push(client) });
    await a.getOrSet('mark', () => 'here');
    await eventually(async () => (await a.lookup('mark', () => 'x')).source === 'l1');

    const reply = held<void>();
    const taken = holdLeases(clients, reply.promise);
    const source = held<string>();
    let loads = 0;
    const load = (): Promise<string> => {
      loads += 1;
      return source.promise;
    };
    const first = a.getOrSet('cut off', load);
    await taken;
    await on.redis.admin().pexpire('test:1:t:{!ns}', 600_000);
    await on.redis.admin().unlink('test:1:d:{mark}');
    await eventually(() => a.status().l1Entries === 0);
    reply.fail(new Error('Command timed out'));
    await eventually(() => loads === 1);
    // In the order of the connection: what was to be read again has been read.
    await a.get('nothing');
    const second = a.getOrSet('cut off', load);
    source.release('v');
    expect([await first, await second, loads]).toEqual(['v', 'v', 1]);
  });
});

/** The reply of whoever asks for a lease comes, but is handed on only when `until` says so; resolves when the first is there. */
function holdLeases(clients: readonly Redis[], until: Promise<void>): Promise<void> {
  const first = held<void>();
  for (const client of clients) {
    const commands = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const getl = commands['cacheGetlBuffer']!.bind(client);
    commands['cacheGetlBuffer'] = async (...args) => {
      const taken = await getl(...args);
      first.release();
      await until;
      return taken;
    };
  }
  return first.promise;
}
