import type { RedisServer } from '../harness/redis-server';

/** Puts keys into our namespace as other instances of ours would: entries by their names; nobody reads what they hold. */
export async function fillNamespace(redis: RedisServer, count: number, head: string): Promise<void> {
  const client = redis.client();
  const script = `for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    redis.call('SET', 'sutazai:1:d:{' .. ARGV[3] .. ':' .. n .. '}', 'x', 'EX', 3600) end`;
  const batch = 10_000;
  for (let from = 1; from <= count; from += batch)
    await client.eval(script, 0, String(from), String(Math.min(from + batch - 1, count)), head);
  client.disconnect();
}
