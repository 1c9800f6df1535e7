import { anyToken, RemoteUnavailableError, type Durability, type TokenName } from '../core';
import { isUnsettled } from './breaker';
import { hashTagOf, type RedisKeys } from './redis-keys';
import type { KeyCommands } from './redis-commands';
import type { RedisNode } from './redis-node';
import { bySlot } from './slots';
import type { Topology } from './topology';

/** Encoded keys and tokens of one slot, with the names that the core knows them by. */
interface Removal {
  slot: number;
  keys: { key: string; encoded: string }[];
  tokens: TokenName[];
}

interface Made {
  keys: string[];
  tokens: TokenName[];
  durable: boolean;
}

const keysPerCommand = 1_000;

/**
 * Removes keys and tokens, wherever they are. What stands in one slot goes in one atomic command, in the order given, so
 * that `!any` goes before the tags. In several slots `!any` is removed and answered first: a load that chooses its tags at
 * the end relies on it (in the model, the other order leaves stale entries).
 */
export class Invalidations {
  constructor(
    private readonly topology: Topology,
    private readonly keys: RedisKeys,
    private readonly encode: (key: string) => string,
  ) {}

  /**
   * Everything that can be reached is removed, also when something else cannot.
   * @returns whether enough replicas have confirmed all of it
   * @throws RemoteUnavailableError which says what was removed
   */
  async make(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability?: Durability,
  ): Promise<boolean> {
    const made: Made = { keys: [], tokens: [], durable: true };
    const failures: unknown[] = [];
    const make = async (removal: Removal): Promise<void> => {
      try {
        const durable = await this.#remove(removal, durability);
        made.keys.push(...removal.keys.map(({ key }) => key));
        made.tokens.push(...removal.tokens);
        made.durable &&= durable;
      } catch (error) {
        if (!(error instanceof RemoteUnavailableError)) throw error;
        failures.push(error);
      }
    };
    const { first, then } = this.#inOrder(this.#named(keys), tokens);
    if (first) await make(first);
    const anyFailed = failures.length > 0;
    await Promise.all(then.map(make));
    if (failures.length === 0) return made.durable;
    // Before `!any` the tags do not count as removed: they are removed once more after it.
    if (anyFailed) made.tokens = [];
    const [cause] = failures;
    const { message } = cause as RemoteUnavailableError;
    throw new RemoteUnavailableError(message, { cause, made });
  }

  /** The same for encoded keys, as a scan finds them. */
  async makeEncoded(encoded: readonly string[]): Promise<void> {
    const named = encoded.map(key => ({ key, encoded: key }));
    await Promise.all(this.#inOrder(named, []).then.map(removal => this.#remove(removal, undefined)));
  }

  /** Before a node is read: past the breaker, and all or nothing. */
  async replay(keys: readonly string[], tokens: readonly TokenName[]): Promise<void> {
    const { first, then } = this.#inOrder(this.#named(keys), tokens);
    const send = (removal: Removal): Promise<unknown> => this.#send(this.topology.writes, removal);
    if (first) await send(first);
    await Promise.all(then.map(send));
  }

  #named(keys: readonly string[]): Removal['keys'] {
    return keys.map(key => ({ key, encoded: this.encode(key) }));
  }

  #inOrder(
    keys: Removal['keys'],
    tokens: readonly TokenName[],
  ): { first: Removal | undefined; then: Removal[] } {
    const slotOf = (name: string): number => this.topology.slotOf(hashTagOf(name));
    const removals = new Map<number, Removal>();
    for (const [slot, some] of bySlot(keys, ({ encoded }) => slotOf(encoded)))
      removals.set(slot, { slot, keys: some, tokens: [] });
    for (const [slot, some] of bySlot(tokens, slotOf)) {
      const removal = removals.get(slot) ?? { slot, keys: [], tokens: [] };
      removal.tokens = some;
      removals.set(slot, removal);
    }
    const first = removals.size > 1 && tokens.includes(anyToken) ? removals.get(slotOf(anyToken)) : undefined;
    return { first, then: [...removals.values()].filter(removal => removal !== first) };
  }

  async #remove(removal: Removal, durability: Durability | undefined): Promise<boolean> {
    const node = this.topology.nodeOf(removal.slot);
    if (durability) {
      const durable = await this.#removeDurably(node, removal, durability);
      if (durable !== undefined) return durable;
    }
    await node.call('invalidate', async () => {
      try {
        await this.#send(this.topology.writes, removal);
      } catch (error) {
        if (!isUnsettled(error)) throw error;
        await this.#sendOneByOne(removal);
      }
    });
    return false;
  }

  /** Undefined: it could not be sent that way, and has to go the plain one. */
  async #removeDurably(
    node: RedisNode,
    removal: Removal,
    durability: Durability,
  ): Promise<boolean | undefined> {
    try {
      return await node.call('invalidate', () =>
        node.durable.write(redis => this.#send(redis, removal), durability),
      );
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      return undefined;
    }
  }

  async #send(redis: KeyCommands, { keys, tokens }: Removal): Promise<void> {
    const tokenKeys = tokens.map(token => this.keys.token(token));
    if (keys.length === 0) {
      if (tokenKeys.length > 0) await redis.unlink(...tokenKeys);
      return;
    }
    for (let at = 0; at < keys.length; at += keysPerCommand) {
      const part = keys.slice(at, at + keysPerCommand);
      const quads = part.flatMap(({ encoded }) => this.keys.ofKey(encoded));
      const all = at === 0 ? [...quads, ...tokenKeys] : quads;
      await redis.cacheInv(all.length, ...all, part.length);
    }
  }

  /**
   * While a slot is moving, a command on several of its keys is refused (TRYAGAIN), often for the whole time. Each key alone
   * is found. The lease goes first: from then on no load that began before can fill. A load whose data nobody has yet is
   * announced by a value that lives for a millisecond and that no reader can take for an entry.
   */
  async #sendOneByOne({ keys, tokens }: Removal): Promise<void> {
    const { writes } = this.topology;
    for (const token of tokens) await writes.unlink(this.keys.token(token));
    for (const { encoded } of keys) {
      const [data, untracked, lease, keyToken] = this.keys.ofKey(encoded);
      const wasLoading = (await writes.unlink(lease)) === 1;
      const wasThere = (await writes.unlink(data)) === 1;
      await Promise.all([writes.unlink(untracked), writes.unlink(keyToken)]);
      if (wasLoading && !wasThere) await writes.set(data, '', 'PX', 1);
    }
  }
}
