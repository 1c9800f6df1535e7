import {
  clearOrder,
  encodeKey,
  namespaceToken,
  RemoteUnavailableError,
  type ClearProgress,
  type Coherence,
  type Durability,
  type EntryReceiver,
  type Gate,
  type GateStatus,
  type Hash,
  type KeyMatcher,
  type LeadResult,
  type LeaseResult,
  type RemoteEntry,
  type RemoteInspection,
  type RemoteKey,
  type RemoteRead,
  type RemoteServerInfo,
  type RemoteStatus,
  type RemoteStore,
  type RemoteTier,
  type RemoteTierListener,
  maxNotices,
  type Score,
  type SetResult,
  type SharedLedger,
  type TimerHandle,
  type TokenName,
} from '../../src/cache/core';
import { RedisKeys } from '../../src/cache/redis/redis-keys';
import { entryPlaces, type Announcement, type FakeRedis, type Value } from './fake-redis';
import { fill, getl, inv, rel, renew, setd, tok, type Draft, type KeyQuad } from './redis-scripts';
import { atOnce, Channel, type Postman } from './wire';

export interface FakeRedisTierOptions {
  redis: FakeRedis;
  hash: Hash;
  postman?: Postman;
  namespace?: string;
  heartbeatMs?: number;
  maxL1StalenessMs?: number;
  /** A caller waits so long for a reply, in milliseconds; the server does what it was asked all the same. Default: for ever. */
  commandTimeoutMs?: number;
  /** Distinguishes the labels of several instances. */
  name?: string;
}

const canaryTtlMs = 30_000;
const setDeadlineMs = 300;
const greetRetryMs = 250;
const ledgerMs = 8 * 86_400_000;
/** As a sorted set orders them, read from its end. */
const byScore = ([a, x]: Score, [b, y]: Score): number => y - x || (a < b ? 1 : -1);

/** Notices by instance: when they were posted, and what they say. */
function postsOf(kept: unknown): Record<string, [atMs: number, text: string]> {
  return JSON.parse((kept as string | undefined) ?? '{}') as Record<string, [number, string]>;
}

/**
 * One instance's way to a fake Redis, as `RedisTier` is to a real one: a connection for reads and one for writes, in both
 * directions, and word of changes over a third. Each is in order; between them anything may overtake anything.
 */
export class FakeRedisTier implements RemoteTier, RemoteStore, Coherence, Gate {
  readonly #redis: FakeRedis;
  readonly #keys: RedisKeys;
  readonly #instance: string;
  #reads: Connection;
  #writes: Connection;
  readonly #word: Channel;
  readonly #inFlight = new Set<(error: Error) => void>();
  #listener!: RemoteTierListener;
  #connection = 0;
  #connected = false;
  #greeted = false;
  #runId: string | undefined;
  #armed = false;
  #stopTracking: (() => void) | undefined;
  #watermarkMs = -Infinity;
  #lagMs: number | null = null;
  #beat: TimerHandle | undefined;
  #retry: TimerHandle | undefined;
  #canary = 0;
  readonly #canaries = new Map<string, number>();
  #closed = false;
  #resolveOpened!: () => void;
  readonly #opened = new Promise<void>(resolve => (this.#resolveOpened = resolve));

  constructor(private readonly options: FakeRedisTierOptions) {
    const { redis, hash, postman = atOnce, namespace = 'test', name = '' } = options;
    this.#redis = redis;
    this.#keys = new RedisKeys(namespace);
    this.#instance = hash.randomToken();
    this.#reads = connection(`${name} r`, postman);
    this.#writes = connection(`${name} w`, postman);
    this.#word = new Channel(`${name}⇠`, postman);
  }

  attach(listener: RemoteTierListener): { store: RemoteStore; coherence: Coherence } {
    this.#listener = listener;
    return { store: this, coherence: this };
  }

  // ------------------------------------------------------------------------------------------ faults

  /**
   * The data connections are lost: what waits for a reply fails, whether or not the server has done it. What the server had in
   * its buffers (`arrives`) it does nevertheless, at any time, even after what comes over the next connections.
   */
  cutData({ arrives = false } = {}): void {
    const { postman = atOnce, name = '' } = this.options;
    this.#connection += 1;
    this.#retry?.cancel();
    this.#connected = false;
    this.#greeted = false;
    for (const { up, down } of [this.#reads, this.#writes]) {
      if (!arrives) up.cut();
      down.cut();
    }
    this.#reads = connection(`${name} r`, postman);
    this.#writes = connection(`${name} w`, postman);
    for (const fail of [...this.#inFlight]) fail(new RemoteUnavailableError('connection closed'));
    this.#report();
  }

  /** Whoever waits for a reply has waited too long; the connections stay, and the server does what it was asked. */
  timeOut(): void {
    for (const fail of [...this.#inFlight]) fail(new RemoteUnavailableError('timeout'));
  }

  /** The tracking connection is lost: what it was about to tell is never heard. */
  cutWord(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#watermarkMs = -Infinity;
    this.#word.cut();
    this.#stopTracking?.();
    if (!this.#closed) this.#listener.flush('disconnected');
  }

  /** Both come back, as a client does by itself: greeting, replay, then reads; arming, flush, then L1. */
  async connect(): Promise<void> {
    if (this.#closed) return;
    if (!this.#armed) this.#arm();
    if (!this.#connected) {
      this.#connected = true;
      await this.#greet(this.#connection);
    }
  }

  // ------------------------------------------------------------------------------------------ store

  get available(): boolean {
    return this.#greeted;
  }

  open(): void {
    void this.connect();
    this.#planBeat();
  }

  opened(): Promise<void> {
    return this.#opened;
  }

  serverNowMs(): number {
    return Math.ceil(this.#redis.clock.nowMs());
  }

  look(key: RemoteKey, tokens: readonly TokenName[], receiver: EntryReceiver): void {
    this.read([key], tokens).then(
      read => receiver.received(read.entries[0], read.tokens),
      (error: unknown) => receiver.failed(error),
    );
  }

  async read(keys: readonly RemoteKey[], tokens: readonly TokenName[]): Promise<RemoteRead> {
    if (keys.length + tokens.length === 0) return { entries: [], tokens: [] };
    return this.#call('read', this.#reads, draft => ({
      entries: keys.map(key => bytesOf(draft.get(this.#data(key)))),
      tokens: tokens.map(token => textOf(draft.get(this.#keys.token(token)))),
    }));
  }

  async acquire(
    key: RemoteKey,
    lease: { token: string; leaseMs: number; seenFillId: string },
    tokens: readonly TokenName[],
    tokenTtlMs: number,
  ): Promise<LeaseResult> {
    const [reply, values] = await Promise.all([
      this.#call('getl', this.#writes, draft =>
        getl(
          draft,
          { data: this.#data(key), lease: this.#keys.lease(key.encoded) },
          lease.token,
          lease.leaseMs,
          lease.seenFillId,
          entryPlaces,
        ),
      ),
      this.ensureTokens(tokens, tokenTtlMs),
    ]);
    return reply.kind === 'entry'
      ? { kind: 'entry', bytes: bytesOf(reply.entry)!, tokens: values }
      : { ...reply, tokens: values };
  }

  async ensureTokens(tokens: readonly TokenName[], tokenTtlMs: number): Promise<string[]> {
    if (tokens.length === 0) return [];
    const fresh = tokens.map(() => this.options.hash.randomToken());
    const names = tokens.map(token => this.#keys.token(token));
    return (await this.#call('tok', this.#writes, draft => tok<Value>(draft, names, tokenTtlMs, fresh))).map(
      String,
    );
  }

  fill(key: RemoteKey, leaseToken: string, entry: Uint8Array, ttlMs: number): Promise<boolean> {
    return this.#call('fill', this.#writes, draft =>
      fill<Value>(
        draft,
        { data: this.#data(key), lease: this.#keys.lease(key.encoded) },
        leaseToken,
        this.#redis.stamped(entry),
        ttlMs,
      ),
    );
  }

  renew(key: RemoteKey, leaseToken: string, leaseMs: number): Promise<boolean> {
    return this.#call('renew', this.#writes, draft =>
      renew(draft, this.#keys.lease(key.encoded), leaseToken, leaseMs),
    );
  }

  async release(key: RemoteKey, leaseToken: string): Promise<void> {
    await this.#call('rel', this.#writes, draft => rel(draft, this.#keys.lease(key.encoded), leaseToken));
  }

  async set(given: Iterable<RemoteEntry>, version: number): Promise<SetResult[]> {
    const entries = [...given];
    if (entries.length === 0) return [];
    const deadlineMs = this.#redis.clock.nowMs() + setDeadlineMs;
    return this.#call('setd', this.#writes, draft =>
      entries.map(({ key, entry, ttlMs }) =>
        setd<Value>(
          draft,
          this.#keys.ofKey(key.encoded),
          this.#data(key),
          this.#redis.stamped(entry),
          ttlMs,
          deadlineMs,
          version,
          entryPlaces,
        ),
      ),
    );
  }

  async invalidate(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability?: Durability,
  ): Promise<{ durable?: boolean }> {
    if (keys.length + tokens.length === 0) return {};
    await this.#call('inv', this.#writes, draft => inv(draft, this.#quads(keys), this.#tokenKeys(tokens)));
    return durability ? { durable: false } : {};
  }

  async clearMatching(
    matcher: KeyMatcher,
    options: { dryRun: boolean; signal?: AbortSignal; onProgress?: (progress: ClearProgress) => void },
  ): Promise<ClearProgress> {
    const progress: ClearProgress = { scanned: 0, matched: 0, removed: 0, done: false };
    for (const kind of clearOrder) {
      if (options.signal?.aborted) return progress;
      const head = `${this.#keys.prefix}${kind}:{`;
      const found = await this.#call('scan', this.#reads, () =>
        this.#redis.keys.filter(key => key.startsWith(head)),
      );
      const encoded = found.map(key => key.slice(head.length, -1)).filter(key => matcher.matches(key));
      const isData = kind === 'd' || kind === 'x';
      progress.scanned += found.length;
      if (isData) progress.matched += encoded.length;
      if (encoded.length > 0 && !options.dryRun) {
        await this.#call('inv', this.#writes, draft =>
          inv(
            draft,
            encoded.map(key => this.#keys.ofKey(key)),
            [],
          ),
        );
        if (isData) progress.removed += encoded.length;
      }
      options.onProgress?.({ ...progress });
    }
    progress.done = true;
    return progress;
  }

  inspect(key: RemoteKey): Promise<RemoteInspection> {
    const lease = this.#keys.lease(key.encoded);
    return this.#call('inspect', this.#reads, draft => {
      const token = textOf(draft.get(lease));
      return {
        entry: bytesOf(draft.get(this.#data(key))),
        lease: token === undefined ? undefined : { token, remainingMs: draft.pttl(lease) },
      };
    });
  }

  info(): Promise<RemoteServerInfo> {
    return this.#call('info', this.#reads, () => ({
      keyspaceHits: 0,
      keyspaceMisses: 0,
      usedMemoryBytes: 0,
      usedMemoryHuman: '0B',
      connectedClients: 1,
      totalCommandsProcessed: 0,
      evictedKeys: 0,
    }));
  }

  readonly ledger: SharedLedger = {
    lead: (job, round, leaseMs) =>
      this.#call('lead', this.#writes, (draft): LeadResult => {
        const [lead, epochKey, progressKey, roundKey] = this.#keys.lead(job);
        if (Number(draft.get(roundKey) ?? -Infinity) >= round) return { kind: 'over' };
        if (draft.get(lead) !== undefined) return { kind: 'busy' };
        const epoch = Number(draft.get(epochKey) ?? 0) + 1;
        draft.set(epochKey, String(epoch), ledgerMs);
        draft.set(lead, String(epoch), leaseMs);
        return { kind: 'leads', epoch, progress: draft.get(progressKey) as string | undefined };
      }),
    keepLead: (job, epoch, leaseMs, progress) =>
      this.#call('keep', this.#writes, draft => {
        const [lead, epochKey, progressKey] = this.#keys.lead(job);
        if (draft.get(epochKey) !== String(epoch)) return false;
        draft.set(lead, String(epoch), leaseMs);
        draft.set(progressKey, progress, ledgerMs);
        return true;
      }),
    endLead: (job, epoch, roundOver) =>
      this.#call('quit', this.#writes, draft => {
        const [lead, epochKey, progressKey, roundKey] = this.#keys.lead(job);
        if (draft.get(epochKey) !== String(epoch)) return;
        draft.unlink(lead);
        if (roundOver === undefined) return;
        draft.unlink(progressKey);
        draft.set(roundKey, String(roundOver), ledgerMs);
      }),
    addScores: (name, scores, { keep, halfLifeMs, ttlMs }) =>
      this.#call('rank', this.#writes, draft => {
        const [ranking, halved] = this.#keys.ranking(name);
        let kept = new Map(JSON.parse((draft.get(ranking) as string | undefined) ?? '[]') as Score[]);
        if (draft.get(halved) === undefined) {
          draft.set(halved, '1', halfLifeMs);
          kept = new Map([...kept].flatMap(([member, score]) => (score >= 1 ? [[member, score / 2]] : [])));
        }
        for (const [member, score] of scores) kept.set(member, (kept.get(member) ?? 0) + score);
        draft.set(ranking, JSON.stringify([...kept].sort(byScore).slice(0, keep)), ttlMs);
      }),
    topScores: (name, count) =>
      this.#call('zrevrange', this.#writes, draft => {
        const [ranking] = this.#keys.ranking(name);
        return (JSON.parse((draft.get(ranking) as string | undefined) ?? '[]') as Score[]).slice(0, count);
      }),
    post: (name, instance, text, ttlMs) =>
      this.#call('post', this.#writes, draft => {
        const key = this.#keys.board(name);
        const posts = postsOf(draft.get(key));
        delete posts[instance];
        const { clock } = this.#redis;
        if (text !== '' && Object.keys(posts).length < maxNotices) posts[instance] = [clock.nowMs(), text];
        draft.set(key, JSON.stringify(posts), ttlMs);
      }),
    notices: (name, ttlMs) =>
      this.#call('board', this.#writes, draft => {
        const nowMs = this.#redis.clock.nowMs();
        return Object.entries(postsOf(draft.get(this.#keys.board(name))))
          .map(([instance, [atMs, text]]) => ({ instance, ageMs: Math.floor(nowMs - atMs), text }))
          .filter(({ ageMs }) => ageMs <= ttlMs);
      }),
  };

  // A fake has none: it is away or it answers.
  breakers(): [] {
    return [];
  }

  resetBreakers(): [] {
    return [];
  }

  // One status for both ports: what the store says of itself, and what is known of the gate.
  status(): RemoteStatus & GateStatus {
    const nowMs = this.#redis.clock.nowMs();
    return {
      state: this.#greeted ? 'up' : 'down',
      breaker: 'closed',
      ...(this.#greeted ? {} : { reason: 'connection closed' }),
      open: this.isOpen(nowMs),
      ageMs: this.#watermarkMs === -Infinity ? null : nowMs - this.#watermarkMs,
      lagMs: this.#lagMs,
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#beat?.cancel();
    if (this.#connected) this.cutData();
    this.cutWord();
    this.#resolveOpened();
    return Promise.resolve();
  }

  // ------------------------------------------------------------------------------------------ coherence

  gateOf(): Gate {
    return this;
  }

  isOpen(nowMs: number): boolean {
    return nowMs - this.#watermarkMs <= (this.options.maxL1StalenessMs ?? 2_000);
  }

  // ------------------------------------------------------------------------------------------ within

  async #greet(connection: number): Promise<void> {
    const serverIdentity = this.#keys.serverIdentity();
    try {
      const runId = await this.#send('greet', this.#writes, draft => {
        if (draft.get(serverIdentity) !== this.#redis.runId) {
          draft.unlink(this.#keys.token(namespaceToken));
          draft.set(serverIdentity, this.#redis.runId, Infinity);
        }
        return this.#redis.runId;
      });
      const sameServer = this.#runId === runId;
      await this.#listener.beforeReads(sameServer, async (keys, tokens) => {
        await this.#send('replay', this.#writes, draft =>
          inv(draft, this.#quads(keys), this.#tokenKeys(tokens)),
        );
      });
      if (connection !== this.#connection) return;
      this.#runId = runId;
      this.#greeted = true;
      this.#report();
      this.#sendCanary();
    } catch (error) {
      if (!(error instanceof RemoteUnavailableError)) throw error;
      // The connection may still stand, and nobody else would greet over it.
      if (connection === this.#connection && !this.#closed)
        this.#retry = this.#redis.clock.schedule(greetRetryMs, () => void this.#greet(connection));
    } finally {
      this.#resolveOpened();
    }
  }

  #arm(): void {
    this.#armed = true;
    this.#canaries.clear();
    this.#stopTracking = this.#redis.track(announcement =>
      this.#word.send('word', () => this.#hear(announcement)),
    );
    this.#listener.flush('armed');
  }

  #planBeat(): void {
    this.#beat = this.#redis.clock.schedule(this.options.heartbeatMs ?? 500, () => {
      this.#sendCanary();
      this.#planBeat();
    });
  }

  #sendCanary(): void {
    if (!this.#greeted || !this.#armed) return;
    this.#canary += 1;
    const key = `${this.#keys.canaryPrefix(this.#instance)}${this.#canary}`;
    this.#canaries.set(key, this.#redis.clock.nowMs());
    this.#send('canary', this.#writes, draft => draft.set(key, '1', canaryTtlMs)).catch((error: unknown) => {
      // Lost with its connection: then it is not heard, and the gate shuts.
      if (!(error instanceof RemoteUnavailableError)) throw error;
    });
  }

  #hear(announcement: Announcement): void {
    if (!this.#armed) return;
    if (announcement === null) return this.#listener.flush('server_flushed');
    for (const key of announcement) {
      const meaning = this.#keys.meaningOf(key);
      if (meaning?.kind === 'key') this.#listener.keyChanged(meaning.encoded);
      else if (meaning?.kind === 'token') this.#listener.tokenChanged(meaning.token);
      const sentAtMs = this.#canaries.get(key);
      if (sentAtMs === undefined) continue;
      this.#canaries.delete(key);
      this.#lagMs = this.#redis.clock.nowMs() - sentAtMs;
      this.#watermarkMs = Math.max(this.#watermarkMs, sentAtMs);
    }
  }

  #call<R>(what: string, over: Connection, command: (draft: Draft<Value>) => R): Promise<R> {
    if (!this.#greeted) return Promise.reject(new RemoteUnavailableError('not greeted'));
    return this.#send(what, over, command);
  }

  /** To the server, and back: each way takes as long as the postman likes. */
  #send<R>(what: string, { up, down }: Connection, command: (draft: Draft<Value>) => R): Promise<R> {
    const { commandTimeoutMs } = this.options;
    return new Promise<R>((resolve, reject) => {
      const settle = (run: () => void): void => {
        timer?.cancel();
        this.#inFlight.delete(fail);
        run();
      };
      const fail = (error: Error): void => settle(() => reject(error));
      const timer =
        commandTimeoutMs === undefined
          ? undefined
          : this.#redis.clock.schedule(commandTimeoutMs, () => fail(new RemoteUnavailableError('timeout')));
      this.#inFlight.add(fail);
      up.send(what, () => {
        const reply = this.#redis.run(command);
        down.send(what, () => settle(() => resolve(reply)));
      });
    });
  }

  #data(key: RemoteKey): string {
    return this.#keys.data(key.encoded, key.tracked);
  }

  #quads(keys: readonly string[]): KeyQuad[] {
    return keys.map(key => this.#keys.ofKey(encodeKey(key, text => this.options.hash.sha256(text))));
  }

  #tokenKeys(tokens: readonly TokenName[]): string[] {
    return tokens.map(token => this.#keys.token(token));
  }

  #report(): void {
    const { state, breaker, reason } = this.status();
    this.#listener.stateChanged({ state, breaker, ...(reason === undefined ? {} : { reason }) });
  }
}

/** Both directions of a connection. */
interface Connection {
  up: Channel;
  down: Channel;
}

function connection(name: string, postman: Postman): Connection {
  return { up: new Channel(`${name}→`, postman), down: new Channel(`${name}←`, postman) };
}

function bytesOf(value: Value | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : typeof value === 'string' ? Buffer.from(value) : value;
}

function textOf(value: Value | undefined): string | undefined {
  return value === undefined
    ? undefined
    : typeof value === 'string'
      ? value
      : Buffer.from(value).toString('latin1');
}
