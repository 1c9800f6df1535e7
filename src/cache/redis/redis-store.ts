import {
  encodeKey,
  namespaceToken,
  RemoteUnavailableError,
  type BreakerReport,
  type ClearProgress,
  type Clock,
  type Coherence,
  type Durability,
  type EntryReceiver,
  type Hash,
  type KeyMatcher,
  type LeaseResult,
  type RemoteEntry,
  type RemoteInspection,
  type RemoteKey,
  type RemoteRead,
  type RemoteServerInfo,
  type RemoteStatus,
  type RemoteStore,
  type RemoteOperation,
  type RemoteTierListener,
  type SetResult,
  type TimerHandle,
  type NamePart,
  type TokenName,
} from '../core';
import { clearMatching } from './clear-matching';
import { ClusterTopology } from './cluster-topology';
import { Invalidations } from './invalidations';
import { KeyReads } from './key-reads';
import { bufferOf, KeySets } from './key-sets';
import { hashTagOf, type RedisKeys } from './redis-keys';
import { RedisLedger } from './redis-ledger';
import type { RedisNode } from './redis-node';
import type { RedisClients } from './clients';
import { parseServerInfo, sumOf } from './server-info';
import { SingleTopology } from './single-topology';
import { bySlot, inParts } from './slots';
import { deafnessOf, gateStatusOf, namedBreakers, statusOf, type Topology } from './topology';
import { TurnBatch } from './turn-batch';

export interface RedisStoreOptions {
  clients: RedisClients;
  keys: RedisKeys;
  instance: string;
  clock: Clock;
  hash: Hash;
  listener: RemoteTierListener;
  heartbeatMs: number;
  maxL1StalenessMs: number;
  commandTimeoutMs: number;
  touchMs: number;
}

/** No command for tokens takes longer than so many do: the server does nothing else meanwhile. */
const tokensPerCommand = 500;

/**
 * The shared tier on Redis: what each operation asks of the node that has its key. Every command goes through that node's
 * `call`: breaker, deadline (the client's), and one kind of error, at once when the node is away. With several nodes only
 * what stands on that one is affected.
 */
export class RedisStore implements RemoteStore {
  readonly coherence: Coherence;
  readonly ledger: RedisLedger;
  readonly #topology: Topology;
  readonly #reads: KeyReads;
  readonly #sets: KeySets;
  readonly #invalidations: Invalidations;
  readonly #tokenBatches = new Map<number, TurnBatch<string>>();
  #touch: TimerHandle | undefined;
  #closed = false;
  #lastStatus = '';
  #lastDeafness: string | undefined;

  constructor(private readonly options: RedisStoreOptions) {
    const { clients, listener } = options;
    const topologyOptions = {
      ...options,
      listener: {
        keyChanged: (encoded: string) => listener.keyChanged(encoded),
        tokenChanged: (token: TokenName) => listener.tokenChanged(token),
        flush: listener.flush.bind(listener),
        canaryHeard: (lagMs: number) => listener.canaryHeard?.(lagMs),
        operationEnded: (operation: RemoteOperation, durationMs: number, failed: boolean) =>
          listener.operationEnded?.(operation, durationMs, failed),
        beforeReads: (sameServer: boolean, part?: NamePart) =>
          listener.beforeReads(
            sameServer,
            (names, tokens) => this.#invalidations.replay(names, tokens),
            part,
          ),
        changed: () => this.#report(),
      },
    };
    this.#topology = clients.cluster
      ? new ClusterTopology(clients.cluster, topologyOptions)
      : new SingleTopology(clients, topologyOptions);
    this.#reads = new KeyReads(this.#topology);
    this.#sets = new KeySets(this.#topology, options.keys, options.commandTimeoutMs);
    this.ledger = new RedisLedger(this.#topology, options.keys);
    this.#invalidations = new Invalidations(this.#topology, options.keys, text => this.#encode(text));
    this.coherence = {
      gateOf: name => this.#topology.gateOf(this.#topology.slotOf(hashTagOf(name))),
      status: () => gateStatusOf(this.#topology.nodes()),
      // With the store, which goes after it.
      close: () => Promise.resolve(),
    };
  }

  get available(): boolean {
    return !this.#closed && this.#topology.nodes().some(node => node.usable);
  }

  open(): void {
    this.#topology.open();
    this.#planTouch();
  }

  opened(): Promise<void> {
    return this.#topology.opened();
  }

  serverNowMs(encoded?: string, nowMs = this.options.clock.nowMs()): number {
    const nodes = this.#topology.nodes();
    const node = encoded === undefined ? nodes[0] : this.#topology.nodeOf(this.#slotOf(encoded));
    return node?.time.latestMs(nowMs) ?? NaN;
  }

  look(key: RemoteKey, tokens: readonly TokenName[], receiver: EntryReceiver): void {
    if (tokens.length === 0) {
      const redisKey = this.options.keys.data(key.encoded, key.tracked);
      this.#reads.look(this.#slotOf(key.encoded), redisKey, receiver);
      return;
    }
    this.read([key], tokens).then(
      read => receiver.received(read.entries[0], read.tokens),
      (error: unknown) => receiver.failed(error),
    );
  }

  async read(keys: readonly RemoteKey[], tokens: readonly TokenName[]): Promise<RemoteRead> {
    const { keys: layout } = this.options;
    const values = await this.#reads.read([
      ...keys.map(key => ({
        slot: this.#slotOf(key.encoded),
        redisKey: layout.data(key.encoded, key.tracked),
      })),
      ...tokens.map(token => ({ slot: this.#slotOf(token), redisKey: layout.token(token) })),
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
    const { writes } = this.#topology;
    // Two commands in one trip. The entry first: read after its tokens, it could carry newer ones and look invalid. The
    // tokens go out when the turn ends, together with those of other leases.
    const [reply, values] = await Promise.all([
      this.#nodeOf(key).call('lease', () =>
        writes.cacheGetlBuffer(
          keys.data(key.encoded, key.tracked),
          keys.lease(key.encoded),
          lease.token,
          lease.leaseMs,
          // The bytes as they are: a foreign entry need not be text there.
          Buffer.from(lease.seenFillId, 'latin1'),
        ),
      ),
      this.ensureTokens(tokens, tokenTtlMs),
    ]);
    const [kind, detail] = reply;
    if (kind === 1) return { kind: 'entry', bytes: detail as Buffer, tokens: values };
    if (kind === 2) return { kind: 'acquired', tokens: values };
    return { kind: 'busy', remainingMs: Math.max(0, Number(detail)), tokens: values };
  }

  /** Those of one turn and one slot share a command, with the longest life that anybody asked for. */
  async ensureTokens(tokens: readonly TokenName[], tokenTtlMs: number): Promise<string[]> {
    const values = new Map<TokenName, string>();
    const ensure = async ([slot, names]: readonly [number, TokenName[]]): Promise<void> => {
      const redisKeys = names.map(name => this.options.keys.token(name));
      const found = await this.#tokenBatchOf(slot).ask(redisKeys, tokenTtlMs);
      names.forEach((name, at) => values.set(name, found[at]!));
    };
    const parts = [...bySlot(tokens, token => this.#slotOf(token))].flatMap(([slot, names]) =>
      inParts(names, tokensPerCommand).map(part => [slot, part] as const),
    );
    await Promise.all(parts.map(ensure));
    return tokens.map(token => values.get(token)!);
  }

  async fill(key: RemoteKey, leaseToken: string, entry: Uint8Array, ttlMs: number): Promise<boolean> {
    const { keys } = this.options;
    const filled = await this.#nodeOf(key).call('fill', () =>
      this.#topology.writes.cacheFill(
        keys.data(key.encoded, key.tracked),
        keys.lease(key.encoded),
        leaseToken,
        bufferOf(entry),
        ttlMs,
      ),
    );
    return filled === 1;
  }

  async renew(key: RemoteKey, leaseToken: string, leaseMs: number): Promise<boolean> {
    const lease = this.options.keys.lease(key.encoded);
    return (
      (await this.#nodeOf(key).call('renew', () =>
        this.#topology.writes.cacheRenew(lease, leaseToken, leaseMs),
      )) === 1
    );
  }

  async release(key: RemoteKey, leaseToken: string): Promise<void> {
    const lease = this.options.keys.lease(key.encoded);
    await this.#nodeOf(key).call('release', () => this.#topology.writes.cacheRel(lease, leaseToken));
  }

  set(entries: Iterable<RemoteEntry>, version: number): Promise<SetResult[]> {
    return this.#sets.make(entries, version);
  }

  async invalidate(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability?: Durability,
  ): Promise<{ durable?: boolean }> {
    const durable = await this.#invalidations.make(keys, tokens, durability);
    return durability ? { durable } : {};
  }

  async inspect(key: RemoteKey): Promise<RemoteInspection> {
    const { keys } = this.options;
    const { reads } = this.#topology;
    const lease = keys.lease(key.encoded);
    const [[entry], token, remainingMs] = await this.#nodeOf(key).call('inspect', () =>
      Promise.all([
        // MGET, because GET is an error where something other than a string stands.
        reads.mgetBuffer(keys.data(key.encoded, key.tracked)),
        reads.get(lease),
        reads.pttl(lease),
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
    return clearMatching(this.#topology, this.#invalidations, this.options.keys, matcher, options);
  }

  async info(): Promise<RemoteServerInfo> {
    const usable = this.#topology.nodes().filter(node => node.usable);
    if (usable.length === 0) throw new RemoteUnavailableError(this.status().reason ?? 'Redis is away');
    const infos = await Promise.all(
      usable.map(async node => parseServerInfo(await node.call('info', () => node.reads.info()))),
    );
    return infos.length === 1 ? infos[0]! : sumOf(infos);
  }

  status(): RemoteStatus {
    if (this.#closed) return { state: 'down', breaker: 'closed', reason: 'closed' };
    return statusOf(this.#topology.nodes(), 'not connected yet');
  }

  breakers(): BreakerReport[] {
    return [...namedBreakers(this.#topology.nodes())].map(([name, breaker]) => breaker.report(name));
  }

  resetBreakers(names?: readonly string[]): string[] {
    const found = [...namedBreakers(this.#topology.nodes())].filter(
      ([name]) => names?.includes(name) ?? true,
    );
    for (const [, breaker] of found) breaker.reset();
    return found.map(([name]) => name);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#touch?.cancel();
    return this.#topology.close();
  }

  #slotOf(encodedOrToken: string): number {
    return this.#topology.slotOf(hashTagOf(encodedOrToken));
  }

  #tokenBatchOf(slot: number): TurnBatch<string> {
    let batch = this.#tokenBatches.get(slot);
    if (!batch) {
      batch = new TurnBatch((redisKeys, ttlMs) => {
        const fresh = redisKeys.map(() => this.options.hash.randomToken());
        const { writes } = this.#topology;
        return this.#topology
          .nodeOf(slot)
          .call('tokens', () => writes.cacheTok(redisKeys.length, ...redisKeys, ttlMs, ...fresh));
      });
      this.#tokenBatches.set(slot, batch);
    }
    return batch;
  }

  #nodeOf(key: RemoteKey): RedisNode {
    return this.#topology.nodeOf(this.#slotOf(key.encoded));
  }

  #encode(key: string): string {
    return encodeKey(key, text => this.options.hash.sha256(text));
  }

  /** L1 hides the use of tokens from the server, and those of the hottest entries would be evicted first. */
  #planTouch(): void {
    this.#touch = this.options.clock.schedule(this.options.touchMs, () => {
      this.#touchTokens().then(
        () => this.#planTouch(),
        // Away, or refused: they are touched the next time.
        () => !this.#closed && this.#planTouch(),
      );
    });
  }

  async #touchTokens(): Promise<void> {
    const known = [...(this.options.listener.knownTokens?.() ?? [])];
    const others = known.filter(token => token !== namespaceToken);
    for (const [slot, tokens] of bySlot(others, token => this.#slotOf(token))) {
      for (const names of inParts(tokens, tokensPerCommand)) {
        const part = names.map(token => this.options.keys.token(token));
        if (this.#closed) return;
        // One after the other: nobody waits for it.
        await this.#topology.nodeOf(slot).call('touch', () => this.#topology.reads.touch(...part));
      }
    }
  }

  /** Once for each change. */
  #report(): void {
    // A node may speak before all of this is put together.
    if (this.#closed || this.#topology === undefined) return;
    const status = this.status();
    const text = `${status.state} ${status.breaker} ${status.state === 'up' ? (status.reason ?? '') : ''}`;
    if (text !== this.#lastStatus) {
      this.#lastStatus = text;
      this.options.listener.stateChanged(status);
    }
    const deafness = deafnessOf(this.#topology.nodes());
    if (deafness === this.#lastDeafness) return;
    this.#lastDeafness = deafness;
    this.options.listener.trackingFailed?.(deafness);
  }
}
