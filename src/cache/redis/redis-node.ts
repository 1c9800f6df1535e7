import { BrokenCircuitError } from 'cockatiel';
import type { Redis } from 'ioredis';
import {
  RemoteUnavailableError,
  type Clock,
  type CoherenceListener,
  type GateStatus,
  type RemoteOperation,
  type RemoteStatus,
  type TimerHandle,
} from '../core';
import { isOutage, RedisBreaker } from './breaker';
import { disconnect } from './disconnect';
import { DurableWrites } from './durable-writes';
import { reasonOf } from './reasons';
import type { RedisKeys } from './redis-keys';
import { ServerClock, timeReplyMs } from './server-clock';
import { isReplica, runIdOf } from './server-info';
import { Tracker } from './tracker';

/** The connections to one node. Each is given not yet connecting, and closed with the node. */
export interface NodeClients {
  /** A write that is held up on one connection (CLIENT PAUSE WRITE) holds up all that follow, so reads have their own. */
  reads: Redis;
  writes: Redis;
  /** RESP2, without automatic re-subscription. */
  tracker: Redis;
  /** For writes that wait for replicas; made at the first of them. */
  durable: () => Redis;
}

/** What a node tells, and what it needs to be told. */
export interface NodeOwner extends Omit<CoherenceListener, 'trackingFailed'> {
  /** Removes the namespace token, wherever that is. */
  clearNamespace(): Promise<unknown>;
  /** Makes again what this node may not have heard of. */
  beforeReads(node: RedisNode, sameServer: boolean): Promise<void>;
  /** It can be used now, cannot any more, or is heard again or not. */
  nodeChanged(node: RedisNode): void;
  /** What each heartbeat asks before its canary goes out: the canary stands for that, too. */
  beforeCanary?(node: RedisNode): Promise<void>;
  /** What goes out with each heartbeat. */
  withCanary(node: RedisNode): Promise<unknown>;
}

export interface RedisNodeOptions {
  /** For status: `host:port`, or nothing where there is one node only. */
  address?: string;
  clients: NodeClients;
  keys: RedisKeys;
  instance: string;
  /** A hash tag in one of this node's slots; '' where there are no slots. */
  hashTag: () => string;
  clock: Clock;
  owner: NodeOwner;
  heartbeatMs: number;
  maxL1StalenessMs: number;
  commandTimeoutMs: number;
}

const canaryTtlMs = 30_000;
const closedReason = 'connection closed';
const greetRetryMs = 250;
/** Greetings or probes in a row that are not answered in time, and the connections are made anew. */
const silentProbes = 3;

/**
 * One master: its connections, its breaker, its clock and word of its changes. Nothing is read before it has been greeted:
 * who it is, what time it has, and whether invalidations have to be made again. It can be used while the connections for
 * reads and for writes both stand, to the same server, and the breaker is closed; the heartbeat is what probes it.
 */
export class RedisNode {
  readonly address: string;
  readonly reads: Redis;
  readonly tracker: Tracker;
  readonly time: ServerClock;
  readonly durable: DurableWrites;
  readonly #writes: Redis;
  readonly breaker = new RedisBreaker();
  readonly #opened: Promise<void>;
  #resolveOpened!: () => void;
  #greeted = false;
  #greeting = 0;
  #runId: string | undefined;
  #identityKey = '';
  #reason: string | undefined = 'not connected yet';
  readonly #timers = new Map<'heartbeat' | 'greet', TimerHandle>();
  #silentProbes = 0;
  #closed = false;

  constructor(private readonly options: RedisNodeOptions) {
    const { clients, clock, keys, instance, hashTag, owner, maxL1StalenessMs } = options;
    this.address = options.address ?? '';
    this.reads = clients.reads;
    this.#writes = clients.writes;
    this.time = new ServerClock(clock);
    this.durable = new DurableWrites(clients.durable, clock, options.commandTimeoutMs);
    this.tracker = new Tracker({
      redis: clients.tracker,
      keys,
      instance,
      hashTag,
      clock,
      maxL1StalenessMs,
      listener: {
        keyChanged: encoded => owner.keyChanged(encoded),
        tokenChanged: token => owner.tokenChanged(token),
        flush: reason => owner.flush(reason, undefined),
        canaryHeard: lagMs => owner.canaryHeard?.(lagMs),
        trackingFailed: () => owner.nodeChanged(this),
      },
    });
    this.breaker.onStateChange(() => owner.nodeChanged(this));
    this.#opened = new Promise(resolve => (this.#resolveOpened = resolve));
    for (const redis of this.#connections()) {
      redis.on('ready', () => this.#ready());
      redis.on('close', () => this.#lost(closedReason));
      // Where it matters, `close` follows.
      redis.on('error', (error: Error) => (this.#reason = reasonOf(error)));
    }
  }

  get usable(): boolean {
    return this.#greeted && this.breaker.state === 'closed';
  }

  open(): void {
    this.tracker.open();
    for (const redis of this.#connections()) {
      if (redis.status === 'wait') redis.connect().catch((error: unknown) => this.#lost(reasonOf(error)));
    }
    // Whoever made the clients may have connected them already.
    this.#ready();
    this.#planHeartbeat();
  }

  /** Resolves when the first attempt to attach has succeeded or failed. */
  opened(): Promise<void> {
    return this.#opened;
  }

  /** The one way to commands for what this node has. Its time is told under the name of the operation. */
  async call<T>(operation: RemoteOperation, run: () => Promise<T>): Promise<T> {
    if (!this.#greeted) throw new RemoteUnavailableError(`Redis is away: ${this.#reason ?? 'not greeted'}`);
    // Only the heartbeat probes: a caller would wait for its outcome.
    if (!this.usable) throw new RemoteUnavailableError('breaker open');
    const { clock, owner } = this.options;
    const startedAtMs = clock.nowMs();
    let failed = true;
    try {
      const result = await this.#guard(run);
      failed = false;
      return result;
    } finally {
      owner.operationEnded?.(operation, clock.nowMs() - startedAtMs, failed);
    }
  }

  status(): RemoteStatus {
    const breaker = this.breaker.state;
    if (this.usable) return { state: 'up', breaker };
    return { state: 'down', breaker, reason: this.#reason ?? `breaker ${breaker}` };
  }

  gateStatus(): GateStatus {
    return this.tracker.status();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#greeted = false;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#resolveOpened();
    await this.tracker.close();
    await this.durable.close();
    for (const redis of this.#connections()) await disconnect(redis);
  }

  #connections(): readonly Redis[] {
    return this.reads === this.#writes ? [this.reads] : [this.reads, this.#writes];
  }

  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await this.breaker.execute(run);
    } catch (cause) {
      if (reasonOf(cause) === 'READONLY') this.#replaceReplica();
      throw new RemoteUnavailableError(
        cause instanceof BrokenCircuitError ? 'breaker open' : reasonOf(cause),
        { cause },
      );
    }
  }

  // ------------------------------------------------------------------------------------------ greeting

  #ready(): void {
    if (!this.#closed && this.#connections().every(redis => redis.status === 'ready')) void this.#greet();
  }

  async #greet(): Promise<void> {
    const { clock, owner } = this.options;
    const greeting = (this.#greeting += 1);
    try {
      const sentAtMs = clock.nowMs();
      this.time.sample(sentAtMs, clock.nowMs(), timeReplyMs(await this.reads.time()));
      const runId = await this.#whoIsThere();
      await this.#checkIdentity(runId);
      const sameServer = this.#runId === runId;
      await owner.beforeReads(this, sameServer);
      if (greeting !== this.#greeting || this.#closed) return;
      // It follows to the server that writes go to now.
      if (!sameServer && this.#runId !== undefined) this.tracker.restart();
      this.#runId = runId;
      this.#greeted = true;
      this.#silentProbes = 0;
      this.#reason = undefined;
      owner.nodeChanged(this);
      this.#resolveOpened();
      this.#beat();
    } catch (error) {
      if (greeting !== this.#greeting || this.#closed) return;
      this.#lost(reasonOf(error));
      if (reasonOf(error) === 'READONLY') return this.#replaceLater();
      if (reasonOf(error) === 'timeout') this.#silent();
      this.#timers.get('greet')?.cancel();
      this.#timers.set(
        'greet',
        clock.schedule(greetRetryMs, () => this.#ready()),
      );
    }
  }

  /** Both connections must have come to the same server, and to one that takes writes. */
  async #whoIsThere(): Promise<string> {
    const runIds = await Promise.all(
      this.#connections().map(async redis => {
        const [server, replication] = await Promise.all([redis.info('server'), redis.info('replication')]);
        if (isReplica(replication)) throw new Error('READONLY a replica answers');
        return runIdOf(server);
      }),
    );
    if (new Set(runIds).size > 1) throw new Error('READONLY reads and writes have come to different servers');
    return runIds[0]!;
  }

  /**
   * A server that came back from an old snapshot brings back entries and the tokens that were valid then. So each writes
   * down who it is, and where somebody else stands, or nobody, the namespace is cleared first.
   */
  async #checkIdentity(runId: string): Promise<void> {
    const key = this.options.keys.serverIdentity(this.options.hashTag());
    // One that this process has greeted already is only written down in another place.
    if (this.#runId !== runId) {
      if ((await this.reads.get(key)) === runId) return void (this.#identityKey = key);
      await this.options.owner.clearNamespace();
    }
    await this.#writes.set(key, runId).catch((error: unknown) => {
      // A full server remembers nothing: then the next greeting clears once more, which is safe.
      if (isOutage(error)) throw error;
    });
    this.#identityKey = key;
  }

  #lost(reason: string): void {
    if (this.#closed) return;
    if (this.#greeted || this.#reason === undefined || reason !== closedReason) this.#reason = reason;
    this.#greeted = false;
    this.#greeting += 1;
    this.tracker.excuse();
    this.options.owner.nodeChanged(this);
    this.#resolveOpened();
  }

  /** The server has become a replica: whoever leads us to the master has to be asked again. */
  #replaceReplica(): void {
    if (!this.#greeted) return;
    this.#lost('READONLY');
    this.tracker.restart();
    this.#replaceLater();
  }

  #replaceLater(): void {
    this.#timers.get('greet')?.cancel();
    this.#timers.set(
      'greet',
      this.options.clock.schedule(greetRetryMs, () => this.#reconnect()),
    );
  }

  // ------------------------------------------------------------------------------------------ heartbeat

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

  /** Server time and a canary. It is also what probes an open breaker, one at a time: a trip on each connection. */
  #beat(): void {
    if (!this.#greeted) return;
    this.#guard(() => this.#probe()).then(
      () => {
        this.#silentProbes = 0;
        if (this.#greeted) this.tracker.checkHearing();
      },
      // An outage, which the breaker has counted, or a refusal: then no canary is heard, and the gate shuts.
      (error: unknown) => {
        this.tracker.excuse();
        this.#reason = error instanceof Error ? error.message : String(error);
        if (this.#reason === 'timeout') this.#silent();
      },
    );
  }

  /**
   * A connection that brings bytes and no answers: one byte of a length has been another, and all that comes is taken for the
   * rest of a text. The client's own limit is for one that is idle, which greetings and probes do not let it be.
   */
  #silent(): void {
    this.#silentProbes += 1;
    if (this.#silentProbes < silentProbes) return;
    this.#silentProbes = 0;
    this.#reconnect();
  }

  #reconnect(): void {
    for (const redis of this.#connections()) if (redis.status === 'ready') redis.disconnect(true);
  }

  async #probe(): Promise<void> {
    const { clock, owner, keys, hashTag } = this.options;
    const startedAtMs = clock.nowMs();
    await owner.beforeCanary?.(this);
    const sentAtMs = clock.nowMs();
    const [time] = await Promise.all([
      this.reads.time(),
      owner.withCanary(this),
      this.#sendCanary(startedAtMs),
    ]);
    this.time.sample(sentAtMs, clock.nowMs(), timeReplyMs(time));
    if (this.#runId !== undefined && keys.serverIdentity(hashTag()) !== this.#identityKey)
      await this.#checkIdentity(this.#runId);
  }

  async #sendCanary(startedAtMs: number): Promise<void> {
    const canary = this.tracker.nextCanary(startedAtMs);
    if (!canary) return void (await this.#writes.ping());
    try {
      canary.written();
      // PEXPIRE is announced each time and needs no room on a full server; SET is for the first time.
      if ((await this.#writes.pexpire(canary.key, canaryTtlMs)) === 0)
        await this.#writes.set(canary.key, '1', 'PX', canaryTtlMs);
    } catch (error) {
      if (!isOutage(error)) canary.refused();
      throw error;
    }
  }
}
