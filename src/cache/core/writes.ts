import { checkKey, checkTags } from './cache-key';
import type { Call } from './call';
import { writeEntry } from './entry';
import type { EncodedValue, StoredPayload } from './entry-codec';
import { CacheValueError, RemoteUnavailableError } from './errors';
import type { InvalidationResult, Invalidator } from './invalidator';
import type { Life, Loading } from './loading';
import { isCounted } from './load-scope';
import type { Lookups } from './lookup';
import { tokenTtlFor } from './options';
import { usableShared, type CacheParts, type SharedParts } from './parts';
import { checkDuration, overridePolicy, type CachePolicy } from './policy';
import type { RemoteEntry, SetResult, TokenName } from './ports';

export interface SetOptions {
  policy?: CachePolicy;
  /** Fresh life of this entry, in milliseconds. Default: the policy's. */
  ttlMs?: number;
  tags?: readonly string[];
  /** A growing number, such as a row version: a lower one never replaces a higher one. Default 0: no versions. */
  version?: number;
}

/** A value on its way into the cache, with everything that has been worked out about it. */
interface Write<P extends StoredPayload = StoredPayload> {
  readonly call: Call;
  readonly encoded: P;
  readonly life: Life;
  readonly version: number;
}

type Tokens = ReadonlyMap<TokenName, string>;

/**
 * Values that are set and not loaded. Each overtakes what is under way for its key; a fence before and one after Redis has
 * taken it keep this instance from answering with anything older. Many are one trip: their tokens are asked for once, and
 * where all of them are known the values go out beside that question, to be written again should the answer differ.
 */
export class Writes {
  constructor(
    private readonly parts: CacheParts,
    private readonly loading: Loading,
    private readonly lookups: Lookups,
    private readonly invalidator: Invalidator,
  ) {}

  /** Checks all before the first is written. `applied` only if every one of them was. */
  async setAll(
    entries: readonly (readonly [key: string, value: unknown])[],
    options: SetOptions,
  ): Promise<InvalidationResult> {
    const policy = this.#policyOf(entries, options);
    const { codec, shared } = this.parts;
    if (!shared || policy.tier === 'local') {
      return this.#keepAll(
        this.#prepare(entries, options, policy, value => codec.encode(value, policy.serializer)),
      );
    }
    const writes = this.#prepare(entries, options, policy, value =>
      codec.encodeForOthers(value, policy.serializer),
    );
    this.#begin(writes);
    return this.#orQueue(writes, usable => {
      // At once: a write that waited could be overtaken by a later one, or by an invalidation, and come after it all the same.
      const small = writes.map(write => ({ ...write, encoded: codec.compressNow(write.encoded) }));
      return this.#store(usable, small);
    });
  }

  /** Checks everything but the values. */
  #policyOf(entries: readonly (readonly [string, unknown])[], options: SetOptions): CachePolicy {
    for (const [key] of entries) checkKey(key);
    if (options.tags) checkTags(options.tags);
    const version = options.version ?? 0;
    if (version !== 0) checkDuration('set', 'version', version, 1, Number.MAX_SAFE_INTEGER);
    const base = this.parts.policies.of(options.policy ?? this.parts.options.defaultPolicy);
    return options.ttlMs === undefined ? base : overridePolicy(base, { ttlMs: options.ttlMs });
  }

  #prepare<P extends StoredPayload>(
    entries: readonly (readonly [string, unknown])[],
    { tags, version = 0 }: SetOptions,
    policy: CachePolicy,
    encode: (value: unknown) => P,
  ): Write<P>[] {
    const scope = this.parts.scopes.current();
    const callOptions = { policy, tags };
    // The last of several values of one key is the one that counts.
    return [...new Map(entries)].map(([key, value]) => {
      if (value === undefined)
        throw new CacheValueError('undefined is "no value" and cannot be stored', 'VALUE_NOT_SERIALISABLE');
      return {
        call: this.lookups.callOf(key, undefined, callOptions, scope),
        encoded: encode(value),
        life: this.loading.lifeOf(policy, value, undefined),
        version,
      };
    });
  }

  /** The first fence, for what is under way; and what has to be made again should another server take over. */
  #begin(writes: readonly Write[]): void {
    const { clock, log, shared, stats } = this.parts;
    const first = writes[0]?.call;
    if (first && isCounted(first.scope)) stats.add(first.policy.name, 'sets', writes.length);
    this.#fence(writes);
    if (shared) log.addRecent(keysOf(writes), [], clock.nowMs());
  }

  async #orQueue(
    writes: readonly Write[],
    write: (shared: SharedParts) => Promise<InvalidationResult>,
  ): Promise<InvalidationResult> {
    try {
      const shared = usableShared(this.parts);
      if (!shared) throw new RemoteUnavailableError('the shared tier is away');
      return await write(shared);
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      return this.#queue(writes);
    }
  }

  async #keepAll(writes: readonly Write<EncodedValue>[]): Promise<InvalidationResult> {
    this.#begin(writes);
    if (this.parts.shared) return this.#orQueue(writes, shared => this.#keepHere(shared, writes));
    for (const { call, encoded, life } of writes) this.loading.keepValue(call, encoded, life, undefined);
    return { applied: true, queued: false };
  }

  /** The local tier: the shared ones must not hold anything under the keys, and the tokens are everybody's. */
  async #keepHere(shared: SharedParts, writes: readonly Write<EncodedValue>[]): Promise<InvalidationResult> {
    await shared.store.invalidate(keysOf(writes), []);
    const tokens = await this.#tokens(shared, writes);
    for (const { call, encoded, life } of writes) {
      this.invalidator.fenceKey(call.key);
      const own = call.tokens.map(name => tokens.get(name)!);
      this.loading.keepValue(call, encoded, life, own);
    }
    return { applied: true, queued: false };
  }

  async #store(shared: SharedParts, writes: readonly Write[]): Promise<InvalidationResult> {
    const known = this.#known(writes);
    const asked = this.#tokens(shared, writes);
    const early = known && this.#storeUnder(shared, writes, known);
    const [tokens, first] = await settled(asked, early ?? Promise.resolve(undefined));
    const isCurrent = known !== undefined && [...tokens].every(([name, token]) => known.get(name) === token);
    const results = first && isCurrent ? first : await this.#storeUnder(shared, writes, tokens);
    // Nobody knows whether it was written: like one that came too late, its key is queued for removal.
    const late = writes.filter((_, at) => results[at] === 'late' || results[at] === 'unknown');
    if (late.length > 0) this.#queue(late);
    return {
      applied: results.every(result => result === 'stored'),
      queued: late.length > 0,
    };
  }

  /** Writes all at once. Resolves when every one of them is settled, so that nothing is still being written afterwards. */
  async #storeUnder(
    { store }: SharedParts,
    writes: readonly Write[],
    tokens: Tokens,
  ): Promise<readonly SetResult[]> {
    const sizes: number[] = [];
    try {
      const entries = this.#entriesOf(writes, tokens, sizes);
      const results = await resultsOf(store.set(entries, writes[0]?.version ?? 0), writes.length);
      this.#count(writes, sizes, results);
      return results;
    } finally {
      this.#fence(writes);
    }
  }

  /** One after the other, as they are asked for. @param sizes is told how many bytes each has */
  *#entriesOf(writes: readonly Write[], tokens: Tokens, sizes: number[]): Iterable<RemoteEntry> {
    const { hash } = this.parts;
    for (const { call, encoded, life, version } of writes) {
      const copied = call.tokens.map(name => [name, tokens.get(name)!] as const);
      const header = {
        key: call.key,
        fillId: hash.randomToken(),
        version,
        ...life,
        ...encoded,
        tokens: copied,
      };
      const entry = writeEntry(header, encoded.payload, hash);
      sizes.push(entry.length);
      yield { key: call.remoteKey, entry, ttlMs: life.hardTtlMs };
    }
  }

  #count(writes: readonly Write[], sizes: readonly number[], results: readonly SetResult[]): void {
    const { clock, memory, stats } = this.parts;
    const nowMs = clock.nowMs();
    let [stored, bytes, unknown] = [0, 0, 0];
    writes.forEach(({ call, life }, at) => {
      if (results[at] === 'unknown') unknown += 1;
      if (results[at] !== 'stored') return;
      stored += 1;
      bytes += sizes[at]!;
      memory.stored(call.name, nowMs + life.hardTtlMs);
    });
    if (writes.length === 0) return;
    const { policy, scope } = writes[0]!.call;
    const { name } = policy;
    if (isCounted(scope)) stats.add(name, 'l2Sets', stored);
    stats.add(name, 'l2BytesWritten', bytes);
    stats.add(name, 'l2Errors', unknown);
  }

  /** The tokens as the server has them; from now on this process knows them, unless it hears of a change meanwhile. */
  async #tokens({ store }: SharedParts, writes: readonly Write[]): Promise<Tokens> {
    if (writes.length === 0) return new Map();
    const { clock, log, options, tokens } = this.parts;
    const asked = namesOf(writes).map(name => {
      const record = tokens.record(name);
      return { name, record, changesBefore: record.changes };
    });
    const found = await store.ensureTokens(
      asked.map(({ name }) => name),
      tokenTtlFor(options, writes[0]!.call.policy),
    );
    const nowMs = clock.nowMs();
    asked.forEach(({ name, record, changesBefore }, at) => {
      if (!log.concernsToken(name)) tokens.learn(record, found[at], changesBefore, nowMs);
    });
    return new Map(asked.map(({ name }, at) => [name, found[at]!]));
  }

  /** The tokens as this process knows them, if it knows them all. */
  #known(writes: readonly Write[]): Tokens | undefined {
    const nowMs = this.parts.clock.nowMs();
    const known = new Map<TokenName, string>();
    for (const name of namesOf(writes)) {
      const { token, gate } = this.parts.tokens.record(name);
      if (token === undefined || !(gate?.isOpen(nowMs) ?? true)) return undefined;
      known.set(name, token);
    }
    return known;
  }

  #fence(writes: readonly Write[]): void {
    for (const { call } of writes) this.invalidator.fenceKey(call.key, call.remoteKey.encoded);
  }

  #queue(writes: readonly Write[]): InvalidationResult {
    const keys = keysOf(writes);
    this.invalidator.queue(keys, []);
    this.#fence(writes);
    return { applied: false, queued: true };
  }
}

/** Of a store that is away nothing is known. */
async function resultsOf(results: Promise<SetResult[]>, count: number): Promise<readonly SetResult[]> {
  try {
    return await results;
  } catch (error) {
    if (!(error instanceof RemoteUnavailableError)) throw error;
    return Array<SetResult>(count).fill('unknown');
  }
}

/** Both, when both are settled; the first failure of the two. */
async function settled<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

function keysOf(writes: readonly Write[]): string[] {
  return writes.map(({ call }) => call.key);
}

function namesOf(writes: readonly Write[]): TokenName[] {
  return [...new Set(writes.flatMap(({ call }) => call.tokens))];
}
