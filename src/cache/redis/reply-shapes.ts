import type { Cluster, Redis } from 'ioredis';

type Reply = unknown;
type Check = (reply: Reply, args: readonly unknown[]) => boolean;

const isBytes = (reply: Reply): boolean => reply === null || Buffer.isBuffer(reply);
const isListOf = (count: number, isItem: (item: Reply) => boolean): Check => {
  return reply => Array.isArray(reply) && reply.length === count && reply.every(isItem);
};
const isDigits = (reply: Reply): boolean => /^\d+$/.test(String(reply));
const isCount = (reply: Reply): boolean => Number.isSafeInteger(reply);
const isOneOf =
  (...numbers: number[]): Check =>
  reply =>
    numbers.includes(reply as number);

/** What the server can answer to the commands of the cache; other commands are not looked at. */
const shapes: Readonly<Record<string, Check>> = {
  getBuffer: isBytes,
  mgetBuffer: (reply, args) => isListOf(args.length, isBytes)(reply, args),
  time: isListOf(2, isDigits),
  unlink: isCount,
  // Our names are printable ASCII; one that is not would be a key that a clear passes by.
  scan: reply =>
    Array.isArray(reply) &&
    reply.length === 2 &&
    isDigits(reply[0]) &&
    Array.isArray(reply[1]) &&
    reply[1].every(name => typeof name === 'string' && /^[\x21-\x7e]+$/.test(name)),
  cacheTok: (reply, args) => isListOf(Number(args[0]), item => typeof item === 'string')(reply, args),
  cacheGetlBuffer: reply => {
    if (!Array.isArray(reply)) return false;
    const [kind, detail] = reply as [unknown, unknown];
    return (
      (kind === 1 && Buffer.isBuffer(detail)) || kind === 2 || (kind === 3 && typeof detail === 'number')
    );
  },
  cacheFill: isOneOf(0, 1),
  cacheRenew: isOneOf(0, 1),
  cacheRel: isOneOf(0, 1),
  cacheInv: isOneOf(1),
  cacheSetd: (reply, args) =>
    isListOf(Number(args[0]) / 4, result => [1, -1, -2].includes(result as number))(reply, args),
  cacheLead: reply => {
    if (!Array.isArray(reply)) return false;
    const [kind, epoch, progress] = reply as [unknown, unknown, unknown];
    if (kind !== 2) return (kind === 0 || kind === 1) && reply.length === 1;
    return isCount(epoch) && (progress === undefined || progress === null || typeof progress === 'string');
  },
  cacheKeep: isOneOf(0, 1),
  cacheQuit: isOneOf(0, 1),
  cacheRank: isCount,
  cachePost: isOneOf(0, 1),
  cacheBoard: reply =>
    Array.isArray(reply) &&
    reply.length % 3 === 0 &&
    reply.every((item: unknown, at) => typeof item === (at % 3 === 1 ? 'number' : 'string')),
};

/**
 * Looks at what the server answers. Replies carry no number of their request: a connection that has lost or made up a
 * single one, by a byte that was changed on the way, gives every command the answer of another from then on, and looks
 * healthy for ever. One answer of a shape that the server cannot give, and the connection is replaced.
 */
export function refuseForeignReplies(client: Redis | Cluster): void {
  const commands = client as unknown as Record<string, ((...args: unknown[]) => Promise<Reply>) | undefined>;
  for (const [name, isReply] of Object.entries(shapes)) {
    const run = commands[name]?.bind(client);
    if (!run) continue;
    commands[name] = async (...args) => {
      const reply = await run(...args);
      if (isReply(reply, args)) return reply;
      client.disconnect(true);
      throw new Error('PROTOCOL a reply that belongs to another command');
    };
  }
}
