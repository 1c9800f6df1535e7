import { BrokenCircuitError, type CircuitBreakerPolicy } from 'cockatiel';
import type { Redis } from 'ioredis';
import {
  namespaceToken,
  RemoteUnavailableError,
  type ClearProgress,
  type Clock,
  type Hash,
  type KeyMatcher,
  type LeaseResult,
  type RemoteInspection,
  type RemoteKey,
  type RemoteRead,
  type RemoteServerInfo,
  type RemoteStatus,
  type RemoteStore,
  type RemoteTierListener,
  type SetResult,
  type SplitEntry,
  type TimerHandle,
  type TokenName,
  encodeKey,
} from '../core';
import { breakerName, isOutage, redisBreaker } from './breaker';
import { clearMatching } from './clear-matching';
import { disconnect } from './disconnect';
import { ReadBatch } from './read-batch';
import { withScripts, type RedisCommands } from './redis-commands';
import type { RedisKeys } from './redis-keys';
import { parseServerInfo, runIdOf } from './server-info';
import { areTexts, areValues, checkReply, isLeaseReply, UnexpectedReplyError } from './reply';
import { ServerClock, timeReplyMs } from './server-clock';
import type { Tracker } from './tracker';

export interface RedisStoreOptions {
  redis: Redis;
  keys: RedisKeys;
  clock: Clock;
  hash: Hash;
  listener: RemoteTierListener;
  tracker: Tracker;
  heartbeatMs: number;
  commandTimeoutMs: number;
}

const canaryTtlMs = 30_000;
const closedReason = 'connection closed';
const greetRetryMs = 250;
const keysPerInvalidation = 1_000;

/**
 * The shared tier on one Redis connection. Every command goes through `#call`: breaker, deadline (the client's), and one
 * kind of error. Nothing is read before the server has been greeted: who it is, what time it has, and whether
 * invalidations have to be made again.
 */
export class RedisStore implements RemoteStore {
  readonly #redis: RedisCommands;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #time: ServerClock;
  readonly #reads: ReadBatch;
  readonly #opened: Promise<void>;
  #resolveOpened!: () => void;
  #greeted = false;
  #greeting = 0;
  #runId: string | undefined;
  #reason: string | undefined = 'not connected yet';
  #timers = new Map<'heartbeat' | 'greet', TimerHandle>();
  #closed = false;
  #lastStatus = '';

  constructor(private readonly options: RedisStoreOptions) {
    this.#redis = withScripts(options.redis);
    this.#time = new ServerClock(options.clock);
    this.#reads = new ReadBatch(keys =>
      this.#call(async () => {
        const values = await this.#redis.mgetBuffer(...keys);
        checkReply('mget', areValues(values, keys.length));
        return values;
      }),
    );
    this.#breaker = redisBreaker();
    this.#breaker.onStateChange(() => this.#report());
    this.#opened = new Promise(resolve => (this.#resolveOpened = resolve));
    this.#redis.on('ready', () => void this.#greet());
    this.#redis.on('close', () => this.#lost(closedReason));
    // Where it matters, `close` follows.
    this.#redis.on('error', (error: Error) => (this.#reason = reasonOf(error)));
  }

  get available(): boolean {
    return this.#greeted && breakerName(this.#breaker.state) === 'closed';
  }

  open(): void {
    this.options.tracker.open();
    // Whoever made the client may have connected it already.
    if (this.#redis.status === 'ready') void this.#greet();
    else if (this.#redis.status === 'wait')
      this.#redis.connect().catch((error: unknown) => this.#lost(reasonOf(error)));
    this.#planHeartbeat();
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  serverNowMs(): number {
    return this.#time.latestMs();
  }

  async read(keys: readonly RemoteKey[], tokens: readonly TokenName[]): Promise<RemoteRead> {
    const { keys: layout } = this.options;
    const values = await this.#reads.read([
      ...keys.map(key => layout.data(key.encoded, key.tracked)),
      ...tokens.map(token => layout.token(token)),
    ]);
    return {
      entries: values.slice(0, keys.length),
      tokens: values.slice(keys.length).map(value => value?.toString('latin1')),
    };
  }

  async acquire(
    key: RemoteKey,
    lease: { token: string; leaseMs: number; seenFillId: string },
    tokens: readonly TokenName[],
    tokenTtlMs: number,
  ): Promise<LeaseResult> {
    const { keys } = this.options;
    // Two commands in one trip. The entry first: read after its tokens, it could carry newer ones and look invalid.
    const [reply, values] = await Promise.all([
      this.#call(async () => {
        const taken = await this.#redis.cacheGetlBuffer(
          keys.data(key.encoded, key.tracked),
          keys.lease(key.encoded),
          lease.token,
          lease.leaseMs,
          // The bytes as they are: a foreign entry need not be text there.
          Buffer.from(lease.seenFillId, 'latin1'),
        );
        checkReply('getl', isLeaseReply(taken));
        return taken;
      }),
      this.ensureTokens(tokens, tokenTtlMs),
    ]);
    const [kind, detail] = reply;
    if (kind === 1) return { kind: 'entry', bytes: detail as Buffer, tokens: values };
    if (kind === 2) return { kind: 'acquired', tokens: values };
    return { kind: 'busy', remainingMs: Math.max(0, Number(detail)), tokens: values };
  }

  async ensureTokens(tokens: readonly TokenName[], tokenTtlMs: number): Promise<string[]> {
    if (tokens.length === 0) return [];
    const names = tokens.map(token => this.options.keys.token(token));
    const fresh = tokens.map(() => this.options.hash.randomToken());
    return this.#call(async () => {
      const values = await this.#redis.cacheTok(names.length, ...names, tokenTtlMs, ...fresh);
      checkReply('tok', areTexts(values, names.length));
      return values;
    });
  }

  async fill(key: RemoteKey, leaseToken: string, entry: SplitEntry, ttlMs: number): Promise<boolean> {
    const { keys } = this.options;
    const filled = await this.#call(() =>
      this.#redis.cacheFill(
        keys.data(key.encoded, key.tracked),
        keys.lease(key.encoded),
        leaseToken,
        bufferOf(entry.head),
        bufferOf(entry.tail),
        ttlMs,
      ),
    );
    return filled === 1;
  }

  async renew(key: RemoteKey, leaseToken: string, leaseMs: number): Promise<boolean> {
    return (
      (await this.#call(() =>
        this.#redis.cacheRenew(this.options.keys.lease(key.encoded), leaseToken, leaseMs),
      )) === 1
    );
  }

  async release(key: RemoteKey, leaseToken: string): Promise<void> {
    await this.#call(() => this.#redis.cacheRel(this.options.keys.lease(key.encoded), leaseToken));
  }

  async set(key: RemoteKey, entry: SplitEntry, ttlMs: number, version: number): Promise<SetResult> {
    const deadlineMs = Math.floor(this.#time.earliestMs() + this.options.commandTimeoutMs);
    const result = await this.#call(() =>
      this.#redis.cacheSetd(
        ...this.options.keys.ofKey(key.encoded),
        key.tracked ? 1 : 2,
        bufferOf(entry.head),
        bufferOf(entry.tail),
        ttlMs,
        deadlineMs,
        version,
      ),
    );
    return result === 1 ? 'stored' : result === -2 ? 'older' : 'late';
  }

  async invalidate(keys: readonly string[], tokens: readonly TokenName[]): Promise<{ durable?: boolean }> {
    await this.#invalidate(keys, tokens, run => this.#call(run));
    return {};
  }

  async inspect(key: RemoteKey): Promise<RemoteInspection> {
    const { keys } = this.options;
    const lease = keys.lease(key.encoded);
    const [[entry], token, remainingMs] = await this.#call(() =>
      Promise.all([
        // MGET, because GET is an error where something other than a string stands.
        this.#redis.mgetBuffer(keys.data(key.encoded, key.tracked)),
        this.#redis.get(lease),
        this.#redis.pttl(lease),
      ]),
    );
    return {
      entry: entry ?? undefined,
      lease: token === null ? undefined : { token, remainingMs: Math.max(0, remainingMs) },
    };
  }

  clearMatching(
    matcher: KeyMatcher,
    options: { dryRun: boolean; signal?: AbortSignal; onProgress?: (progress: ClearProgress) => void },
  ): Promise<ClearProgress> {
    return clearMatching(this.#redis, this.options.keys, matcher, options, run => this.#call(run));
  }

  async info(): Promise<RemoteServerInfo> {
    return parseServerInfo(await this.#call(() => this.#redis.info()));
  }

  async claim(name: string, ttlMs: number): Promise<boolean> {
    const claimed = await this.#call(() =>
      this.#redis.set(this.options.keys.claim(name), '1', 'PX', ttlMs, 'NX'),
    );
    return claimed === 'OK';
  }

  status(): RemoteStatus {
    const breaker = breakerName(this.#breaker.state);
    if (this.available) return { state: 'up', breaker };
    return { state: 'down', breaker, reason: this.#reason ?? `breaker ${breaker}` };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#greeted = false;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#resolveOpened();
    return disconnect(this.#redis);
  }

  /** The one way to Redis. */
  async #call<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#greeted) throw new RemoteUnavailableError(`Redis is away: ${this.#reason ?? 'not greeted'}`);
    return this.#guard(run);
  }

  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(run);
    } catch (cause) {
      if (cause instanceof UnexpectedReplyError) this.#redis.disconnect(true);
      throw new RemoteUnavailableError(
        cause instanceof BrokenCircuitError ? 'breaker open' : reasonOf(cause),
        { cause },
      );
    }
  }

  /** One atomic command where it fits in one; in the order given, so that `!any` goes before the tags. */
  async #invalidate(
    keys: readonly string[],
    tokens: readonly TokenName[],
    call: (run: () => Promise<number>) => Promise<number>,
  ): Promise<void> {
    const { keys: layout, hash } = this.options;
    const tokenKeys = tokens.map(token => layout.token(token));
    if (keys.length === 0) {
      if (tokenKeys.length === 0) return;
      await call(async () => {
        const removed = await this.#redis.unlink(...tokenKeys);
        checkReply('unlink', Number.isInteger(removed));
        return removed;
      });
      return;
    }
    for (let at = 0; at < keys.length; at += keysPerInvalidation) {
      const part = keys.slice(at, at + keysPerInvalidation);
      const quads = part.flatMap(key => layout.ofKey(encodeKey(key, text => hash.sha256(text))));
      const all = at === 0 ? [...quads, ...tokenKeys] : quads;
      await call(async () => {
        const done = await this.#redis.cacheInv(all.length, ...all, part.length);
        checkReply('inv', done === 1);
        return done;
      });
    }
  }

  /** Who is there, what time is it, and what has to be made again: before anything is read. */
  async #greet(): Promise<void> {
    const { keys, listener, clock } = this.options;
    const greeting = (this.#greeting += 1);
    try {
      const sentAtMs = clock.nowMs();
      const time = await this.#redis.time();
      const serverMs = timeReplyMs(time);
      checkReply('time', Number.isFinite(serverMs));
      this.#time.sample(sentAtMs, clock.nowMs(), serverMs);
      const runId = runIdOf(await this.#redis.info('server'));
      // A server that came back from an old snapshot brings back entries and the tokens that were valid then.
      if ((await this.#redis.get(keys.serverIdentity)) !== runId) {
        await this.#redis.unlink(keys.token(namespaceToken));
        await this.#redis.set(keys.serverIdentity, runId).catch((error: unknown) => {
          // A full server remembers nothing: then the next greeting clears once more, which is safe.
          if (isOutage(error)) throw error;
        });
      }
      const sameServer = this.#runId === undefined || this.#runId === runId;
      await listener.beforeReads(sameServer, (names, tokens) =>
        this.#invalidate(names, tokens, run => run()),
      );
      if (greeting !== this.#greeting || this.#closed) return;
      this.#runId = runId;
      this.#greeted = true;
      this.#reason = undefined;
      this.#report();
      this.#resolveOpened();
      this.#beat();
    } catch (error) {
      if (greeting !== this.#greeting || this.#closed) return;
      this.#lost(reasonOf(error));
      if (error instanceof UnexpectedReplyError) this.#redis.disconnect(true);
      else if (this.#redis.status === 'ready') {
        this.#timers.set(
          'greet',
          clock.schedule(greetRetryMs, () => void this.#greet()),
        );
      }
    }
  }

  #lost(reason: string): void {
    if (this.#closed) return;
    if (this.#greeted || this.#reason === undefined || reason !== closedReason) this.#reason = reason;
    this.#greeted = false;
    this.#greeting += 1;
    this.#report();
    this.#resolveOpened();
  }

  #planHeartbeat(): void {
    if (this.#closed) return;
    this.#timers.set(
      'heartbeat',
      this.options.clock.schedule(this.options.heartbeatMs, () => {
        this.#beat();
        this.#planHeartbeat();
      }),
    );
  }

  /** Canary, server time, and a touch for the namespace token, which L1 hides from eviction's eyes. Also the breaker's probe. */
  #beat(): void {
    if (!this.#greeted) return;
    const { tracker, keys, clock } = this.options;
    const canary = tracker.nextCanary();
    const sentAtMs = clock.nowMs();
    const beat = async (): Promise<void> => {
      const [, time, known] = await Promise.all([
        this.#redis.touch(keys.token(namespaceToken)),
        this.#redis.time(),
        canary === undefined ? 1 : this.#redis.pexpire(canary, canaryTtlMs),
      ]);
      const serverMs = timeReplyMs(time);
      checkReply('time', Number.isFinite(serverMs));
      this.#time.sample(sentAtMs, clock.nowMs(), serverMs);
      if (canary !== undefined && known === 0) await this.#redis.set(canary, '1', 'PX', canaryTtlMs);
    };
    this.#guard(beat).then(
      () => tracker.checkHearing(),
      // An outage, which the breaker has counted, or a refusal: then no canary is heard, and the gate shuts.
      (error: unknown) => (this.#reason = error instanceof Error ? error.message : String(error)),
    );
  }

  /** Once for each change. */
  #report(): void {
    const status = this.status();
    const text = `${status.state} ${status.breaker}`;
    if (text === this.#lastStatus) return;
    this.#lastStatus = text;
    this.options.listener.stateChanged(status);
  }
}

/** What an error says about the server, without addresses, credentials or arguments of commands. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  const message = error instanceof Error ? error.message : String(error);
  if (/timed? ?out/i.test(message)) return 'timeout';
  return /^[A-Z]{2,20}\b/.exec(message)?.[0] ?? 'connection failed';
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
