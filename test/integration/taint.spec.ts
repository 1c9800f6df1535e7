import type { Redis } from 'ioredis';
import { eventually, held } from './cache-node';
import { redisNodes } from './redis-nodes';

/** Data and word of changes come over two connections, and nobody says which comes first. */
describe('word of a change that overtakes a reply', () => {
  const on = redisNodes();
  const { node } = on;

  test('the old value is the answer to who asked before the change, and does not enter L1', async () => {
    const clients: Redis[] = [];
    const a = await node({ onDataClient: client => clients.push(client) });
    const b = await node();
    await b.getOrSet('k', () => 'v1');
    await a.getOrSet('mark', () => 'here');
    await eventually(async () => (await a.lookup('mark', () => 'x')).source === 'l1');

    const reply = held<void>();
    const replied = holdReplies(clients, reply.promise);
    const before = a.getOrSet('k', () => 'wrong');
    await replied;
    await b.invalidateKeys(['k']);
    expect(await b.getOrSet('k', () => 'v2')).toBe('v2');
    // Word comes in order: when this one has been heard, so have those before it.
    await b.invalidateKeys(['mark']);
    await eventually(() => a.status().l1Entries === 0);
    reply.release();

    expect(await before).toBe('v1');
    expect(await a.getOrSet('k', () => 'wrong')).toBe('v2');
  });

  test('a look that an invalidation made here has overtaken is joined by nobody, and brings nothing into L1', async () => {
    const clients: Redis[] = [];
    const a = await node({ onDataClient: client => clients.push(client) });
    const b = await node();
    const tagged = { tags: ['t'] };
    await b.getOrSet('k', () => 'v1', tagged);
    // From here on it knows the token, so that the look asks for nothing else.
    await a.getOrSet('mark', () => 'here', tagged);
    await eventually(async () => (await a.lookup('mark', () => 'x', tagged)).source === 'l1');

    const reply = held<void>();
    const replied = holdReplies(clients, reply.promise);
    const before = a.getOrSet('k', () => 'wrong', tagged);
    await replied;
    await a.invalidateTags(['t']);
    const after = a.getOrSet('k', () => 'v2', tagged);
    reply.release();

    expect([await before, await after]).toEqual(['v1', 'v2']);
    expect(await a.getOrSet('k', () => 'wrong', tagged)).toBe('v2');
  });
});

/** Replies to reads come, but are handed on only when `until` says so; resolves when the first one is there. */
function holdReplies(clients: readonly Redis[], until: Promise<void>): Promise<void> {
  const first = held<void>();
  const hold = async <R>(reply: Promise<R>): Promise<R> => {
    const value = await reply;
    first.release();
    await until;
    return value;
  };
  for (const client of clients) {
    const [get, mget] = [client.getBuffer.bind(client), client.mgetBuffer.bind(client)];
    client.getBuffer = key => hold(get(key));
    client.mgetBuffer = ((...keys: string[]) => hold(mget(...keys))) as typeof client.mgetBuffer;
  }
  return first.promise;
}
