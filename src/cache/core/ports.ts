/**
 * What the core needs from outside: a store in this process, a store that instances share, word of
 * what others change there, hashes, and an async context. Each port has one real implementation in
 * a sibling folder, and fakes that pass the same contract suite.
 */

/** How values become bytes. `id` is written into every entry; a reader that does not know it has a miss. */
export interface ValueSerializer {
  /** 0 to 255, never reused. 1 msgpack, 2 JSON, 3 stored HTTP response, 4 msgpack with its layouts in front. */
  readonly id: number;
  /**
   * How a decoded value is kept from its readers' mutations. `freeze`: plain data is decoded once and
   * deep-frozen, other values are decoded for each reader. `share`: the decoded value is immutable by construction.
   */
  readonly isolation: 'freeze' | 'share';
  /** Whatever `encode` returns `decode` takes, so that nobody has to try it before it is stored. Default false. */
  readonly readsBack?: boolean;
  /** @throws when the value cannot be represented */
  encode(value: unknown): Uint8Array;
  /** @throws when the bytes are not what `encode` writes */
  decode(bytes: Uint8Array): unknown;
  /** Whether what `decode` makes of these bytes is plain data and deep-frozen already. Default: it is not. */
  isFrozen?(bytes: Uint8Array): boolean;
}

export interface Compressor {
  /** 1 to 15, never reused; 0 in an entry means "not compressed". */
  readonly id: number;
  compress(bytes: Uint8Array): Uint8Array;
  /** @throws when the bytes are damaged or inflate to more than `maxBytes` */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array;
  /** The same two off the event loop, for what is large. */
  compressAside(bytes: Uint8Array): Promise<Uint8Array>;
  decompressAside(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>;
}

export interface Hash {
  /** CRC-32 of `bytes`; `seed` is the checksum of what came before them. */
  crc32(bytes: Uint8Array, seed?: number): number;
  /** base64url, 43 characters. */
  sha256(text: string): string;
  /** 96 random bits, 16 characters of base64url. */
  randomToken(): string;
}

/** Entries of this process. Knows bounds and eviction; life and validity are the core's business. */
export interface LocalStore<E> {
  get(key: string): E | undefined;
  /** As `get`, but it counts as no use. */
  peek(key: string): E | undefined;
  /**
   * Returns false when the entry is too large to be kept. After `untilMs` (local monotonic milliseconds) nobody wants it any
   * more, and the store may drop it by itself.
   */
  set(key: string, entry: E, bytes: number, untilMs: number): boolean;
  delete(key: string): boolean;
  clear(): void;
  /** The keys that are held, in no particular order. */
  keys(): Iterable<string>;
  readonly entries: number;
  readonly bytes: number;
  /** Called for each entry dropped for room, not for `delete`, `clear` or replacement. */
  onEvict(listener: (key: string) => void): void;
}

/** A key as the core hands it to the remote store: the user's key and whether its data may be copied into L1. */
export interface RemoteKey {
  readonly key: string;
  /** Encoded form, safe in Redis and in its patterns; computed once. */
  readonly encoded: string;
  readonly tracked: boolean;
}

/**
 * A token that entries depend on. Tags have a name; a local-tier entry depends on the token of its key, so
 * that `invalidateKeys` reaches it on every node.
 */
export type TokenName = string;

/** What one trip brought back. Bytes are whole entries; a token that is missing is `undefined`. */
export interface RemoteRead {
  entries: (Uint8Array | undefined)[];
  tokens: (string | undefined)[];
}

export type LeaseResult =
  | { kind: 'acquired'; tokens: string[] }
  /** Somebody filled the key in the meantime. */
  | { kind: 'entry'; bytes: Uint8Array; tokens: string[] }
  /** Somebody else is loading; their lease ends by itself in `remainingMs` unless renewed. */
  | { kind: 'busy'; remainingMs: number; tokens: string[] };

/** What became of an entry that was set. `unknown`: its command failed, and may have been run or not. */
export type SetResult = 'stored' | 'late' | 'older' | 'unknown';

/** An entry on its way to the shared tier. */
export interface RemoteEntry {
  readonly key: RemoteKey;
  /** As `writeEntry` makes it: the store writes its birth in server time (8 bytes, big-endian double, at 24). */
  readonly entry: Uint8Array;
  readonly ttlMs: number;
}

/** Whoever has asked for an entry: told one of the two, once, and not in the turn in which it asked. Must not throw. */
export interface EntryReceiver {
  /** @param tokens as asked for; undefined where there is none */
  received(entry: Uint8Array | undefined, tokens: readonly (string | undefined)[]): void;
  /** @param error as `RemoteStore` rejects */
  failed(error: unknown): void;
}

/**
 * The tier that instances share. Every method rejects with `RemoteUnavailableError` when the store cannot be
 * used; implementations own breaker and deadline, so that an outage has one behaviour.
 */
export interface RemoteStore {
  /** False while the connection is away, its server not yet greeted, or the breaker open: do not call. */
  readonly available: boolean;
  /** Begins to connect. Called once, when the listeners are in place. */
  open(): void;
  /** Resolves when the first attempt to attach has succeeded or failed. */
  opened(): Promise<void>;
  /**
   * Time of the server that has this (encoded) key, in milliseconds, never early: what an entry's age is computed from.
   * Without a key: of any server. `nowMs` is the local monotonic time to go by, if it was just read.
   */
  serverNowMs(encoded?: string, nowMs?: number): number;
  /** One trip for all; reads of one turn of the event loop share a command. */
  look(key: RemoteKey, tokens: readonly TokenName[], receiver: EntryReceiver): void;
  /** The same for several entries, or for none, and with a promise. */
  read(keys: readonly RemoteKey[], tokens: readonly TokenName[]): Promise<RemoteRead>;
  /**
   * One trip: makes sure that the tokens exist (creating them with `tokenTtlMs`), then returns the entry of `key` unless
   * its fill id is `seenFillId`, or takes the lease, or says who is busy.
   */
  acquire(
    key: RemoteKey,
    lease: { token: string; leaseMs: number; seenFillId: string },
    tokens: readonly TokenName[],
    tokenTtlMs: number,
  ): Promise<LeaseResult>;
  /** Makes sure that the tokens exist and returns them. */
  ensureTokens(tokens: readonly TokenName[], tokenTtlMs: number): Promise<string[]>;
  /** Stores the entry if the lease is still ours; false when it is not. Releases the lease. */
  fill(key: RemoteKey, leaseToken: string, entry: Uint8Array, ttlMs: number): Promise<boolean>;
  renew(key: RemoteKey, leaseToken: string, leaseMs: number): Promise<boolean>;
  release(key: RemoteKey, leaseToken: string): Promise<void>;
  /**
   * For each entry, whatever becomes of the others: removes what is there, any lease included, and stores, unless it runs too
   * late or a newer version is there. Many share a command, which leaves as soon as it is full: while the others are still being
   * made. Rejects where no command could be made.
   */
  set(entries: Iterable<RemoteEntry>, version: number): Promise<SetResult[]>;
  /**
   * Removes data and leases of the keys (both tiers) and the tag tokens; resolves when the server has done it. With
   * `durability` it also waits for replicas and says whether enough of them have confirmed; a plain call says nothing.
   * Where only some of several servers could be reached, the error says what was made nevertheless.
   */
  invalidate(
    keys: readonly string[],
    tokens: readonly TokenName[],
    durability?: Durability,
  ): Promise<{ durable?: boolean }>;
  /** What is there under the key, for `explain`: nothing is counted, created or changed. */
  inspect(key: RemoteKey): Promise<RemoteInspection>;
  /** Removes what matches, leases first. `matches` gets user keys; hashed ones are matched by their head. */
  clearMatching(
    matcher: KeyMatcher,
    options: { dryRun: boolean; signal?: AbortSignal; onProgress?: (progress: ClearProgress) => void },
  ): Promise<ClearProgress>;
  info(): Promise<RemoteServerInfo>;
  readonly ledger: SharedLedger;
  status(): RemoteStatus;
  /** The circuit breakers in front of the servers, at most one for each. */
  breakers(): BreakerReport[];
  /** Closes all of them, or those of these names, with nothing counted; the names that there are. */
  resetBreakers(names?: readonly string[]): string[];
  close(): Promise<void>;
}

/**
 * What instances keep for each other beside entries: who leads a piece of work, what is read most, and what each has to tell.
 * Rejects as the store does. Nothing of it is needed for an answer to be right.
 */
export interface SharedLedger {
  /** Takes the lead in a job for `leaseMs`, unless another instance has it or the round, or a later one, is over. */
  lead(job: string, round: number, leaseMs: number): Promise<LeadResult>;
  /** Keeps the lead for `leaseMs` more and notes how far the work has come; false when somebody leads a later epoch. */
  keepLead(job: string, epoch: number, leaseMs: number, progress: string): Promise<boolean>;
  /** Gives the lead up. With `roundOver` the work is done: its progress is forgotten, and nobody leads that round again. */
  endLead(job: string, epoch: number, roundOver: number | undefined): Promise<void>;
  /** Adds to the scores of members; the best `keep` stay, and all are halved once in `halfLifeMs`. */
  addScores(ranking: string, scores: readonly Score[], bounds: RankingBounds): Promise<void>;
  /** The members with the highest scores, the best first. */
  topScores(ranking: string, count: number): Promise<Score[]>;
  /** Puts a notice of this instance on a board for `ttlMs`, in the place of its last one; '' takes that away. */
  post(board: string, instance: string, text: string, ttlMs: number): Promise<void>;
  /** The notices that are no older than `ttlMs`. */
  notices(board: string, ttlMs: number): Promise<Notice[]>;
}

/** What an instance has last said, and how long ago by the clock of the store. */
export interface Notice {
  instance: string;
  text: string;
  ageMs: number;
}

/** Instances that a board has room for. */
export const maxNotices = 256;

export type LeadResult =
  { kind: 'leads'; epoch: number; progress: string | undefined } | { kind: 'busy' } | { kind: 'over' };

export type Score = readonly [member: string, score: number];

export interface RankingBounds {
  keep: number;
  halfLifeMs: number;
  /** Nobody has added anything for so long: it is forgotten. */
  ttlMs: number;
}

/** How many replicas must have confirmed a write, and how long to wait for them, in milliseconds. */
export interface Durability {
  replicas: number;
  timeoutMs: number;
}

export interface RemoteInspection {
  entry: Uint8Array | undefined;
  lease: { token: string; remainingMs: number } | undefined;
}

export interface KeyMatcher {
  /** Whether an encoded key matches; for one cut off and hashed (`head` true), whether its head may match. */
  matches(encoded: string): boolean;
  /** For the store to narrow a scan with: letters to be taken literally, then `*`. */
  readonly scanPattern: string;
}

export interface ClearProgress {
  scanned: number;
  matched: number;
  removed: number;
  done: boolean;
  /** Times that the keys were gone through: more than once when keys were moving between servers meanwhile. */
  passes?: number;
}

/** Makes spans of what takes time, for whoever traces. Attributes come from closed lists: no keys, no values. */
export interface Tracer {
  /** Runs something within a span, which ends with it, and badly if it rejects. */
  span<T>(
    name: SpanName,
    attributes: Readonly<Record<string, string | number | boolean>>,
    run: () => Promise<T>,
  ): Promise<T>;
}

/** `cache.load`: a loader runs. `cache.invalidate`: an invalidation is made. */
export type SpanName = 'cache.load' | 'cache.invalidate';

/** What is asked of a server; a closed list, so that it can be a label of metrics. */
export const remoteOperations = [
  'read',
  'tokens',
  'lease',
  'fill',
  'renew',
  'release',
  'set',
  'invalidate',
  'clear',
  'inspect',
  'touch',
  'info',
  'ledger',
  'cluster',
] as const;
export type RemoteOperation = (typeof remoteOperations)[number];

export interface RemoteServerInfo {
  keyspaceHits: number;
  keyspaceMisses: number;
  usedMemoryBytes: number;
  usedMemoryHuman: string;
  connectedClients: number;
  totalCommandsProcessed: number;
  /** Since the server started: what it has dropped for room, of whatever namespace. */
  evictedKeys: number;
}

export interface RemoteStatus {
  state: 'up' | 'down';
  breaker: 'closed' | 'open' | 'half-open';
  reason?: string;
}

/** A circuit breaker as operators see it. */
export interface BreakerReport {
  readonly name: string;
  readonly state: RemoteStatus['breaker'];
  /** Calls that failed, or succeeded, since it was made or last reset. One that is not let through is neither. */
  readonly failures: number;
  readonly successes: number;
  /** Milliseconds since 1970; null while it is closed. */
  readonly openedAtMs: number | null;
  /** No call is let through before, in milliseconds since 1970; null unless it is open. */
  readonly nextProbeAtMs: number | null;
}

/**
 * Whether this process hears of changes at one node soon enough. Open: everything written there before
 * `now - maxL1StalenessMs` has been heard.
 */
export interface Gate {
  isOpen(nowMs: number): boolean;
}

/** Word of what changes in the shared tier. Callbacks run synchronously, in the order of the messages. */
export interface CoherenceListener {
  /** The entry of this encoded key was written, removed, or its cold load cancelled. */
  keyChanged(encoded: string): void;
  /** The token was created, refreshed or removed. */
  tokenChanged(token: TokenName): void;
  /**
   * Everything may have changed: connection lost, re-armed, the server flushed, or keys have moved between servers. With
   * `part`, only what depends on a name (encoded key or token) for which it says true: other servers are still heard.
   */
  flush(reason: FlushReason, part?: NamePart): void;
  /** A canary came back so long after it was written: what a change takes to be heard of here. */
  canaryHeard?(lagMs: number): void;
  /** Commands of one operation were answered, or were not in time. */
  operationEnded?(operation: RemoteOperation, durationMs: number, failed: boolean): void;
  /** Canaries are written and do not come back, for this reason; undefined: they come again. Once for each change. */
  trackingFailed?(reason: string | undefined): void;
}

export type FlushReason = 'disconnected' | 'armed' | 'server_flushed' | 'topology_changed';

/** Whether an encoded key or a token belongs to a part of the shared tier, such as one of its servers. */
export type NamePart = (encodedOrToken: string) => boolean;

export interface Coherence {
  /** The gate that covers an entry or a token. */
  gateOf(encodedOrToken: string): Gate;
  status(): GateStatus;
  close(): Promise<void>;
}

export interface GateStatus {
  open: boolean;
  /** Milliseconds since the watermark; null when there is none. */
  ageMs: number | null;
  /** Last measured time from writing a canary to hearing it; null when there is none. */
  lagMs: number | null;
  /** Why nothing is heard although the shared tier answers; absent while all is well. */
  reason?: string;
  /** Times that listening began, the first one included. */
  armings?: number;
}

/** How the shared tier is attached: the store, and word from it. Listeners are given before anything is heard. */
export interface RemoteTier {
  attach(listener: RemoteTierListener): { store: RemoteStore; coherence: Coherence };
}

export interface RemoteTierListener extends CoherenceListener {
  /**
   * The connection is ready and its server greeted, but nothing has been read yet. `sameServer` is false when the
   * server's identity differs from the last one seen. Resolves when pending invalidations have been replayed through
   * `replay`: all of them, or, where there are several servers, those of `part`, which is what this one has.
   */
  beforeReads(
    sameServer: boolean,
    replay: (keys: readonly string[], tokens: readonly TokenName[]) => Promise<void>,
    part?: NamePart,
  ): Promise<void>;
  /** The state of the connection or of its breaker changed. */
  stateChanged(status: RemoteStatus): void;
  /** The tokens that this process relies on. L1 hides their use from the server, which is told of it now and then. */
  knownTokens?(): Iterable<TokenName>;
}

/** The async context of a load, so that reads inside a loader know that they are. */
export interface ScopeContext<S> {
  current(): S | undefined;
  run<R>(scope: S | undefined, run: () => R): R;
  /** Where we are now, for going on there from wherever a reply comes in. */
  place(): AsyncPlace;
}

/** A place in the asynchronous course of the program: what runs there sees its async contexts, the callers' own included. */
export interface AsyncPlace {
  runInAsyncScope<T, A extends unknown[], R>(run: (this: T, ...args: A) => R, self: T, ...args: A): R;
}
