import { checkKey, decodeKey } from './cache-key';
import { readEntry, type FormatFault } from './entry';
import { RemoteUnavailableError } from './errors';
import type { NearEntry } from './near-cache';
import { usableShared, type CacheParts, type SharedParts } from './parts';
import type { CacheTier } from './policy';
import type { GateStatus, RemoteKey, TokenName } from './ports';
import { keyOfToken, namespaceToken } from './tokens';

/** What an entry depends on. It is valid while each of these is. */
export interface Dependency {
  kind: 'tag' | 'namespace' | 'key';
  /** The tag, or the key of an inner local entry; one over 200 bytes in its encoded form. */
  name: string;
  /** Undefined when nobody can say: Redis is away and this process does not know. */
  valid: boolean | undefined;
}

/** An entry where it was found. Durations are milliseconds. */
export interface ExplainedEntry {
  tier: 'l1' | 'l2';
  /** Where its policy keeps it. */
  home: CacheTier;
  /** Whether a read would get it now, fresh or stale; if not, `why`. */
  served: boolean;
  why:
    'expired' | 'invalidated' | 'gate_closed' | 'suspect' | 'pending_invalidation' | 'unreadable' | undefined;
  /** What is wrong with its bytes. */
  fault: FormatFault | undefined;
  ageMs: number;
  /** Fresh life left; negative when it is over. */
  freshMs: number;
  /** Life left within the stale window; negative when it is over. */
  staleMs: number;
  negative: boolean;
  bytes: number;
  dependsOn: Dependency[];
}

/** Everything that decides what a read of a key would get now. */
export interface Explanation {
  key: string;
  entries: ExplainedEntry[];
  /** Who loads it, by the lease; `here` when this instance does. */
  lease: { here: boolean; remainingMs: number } | undefined;
  /** Loads of the key under way in this process, refreshes included. */
  loadsHere: number;
  gate: GateStatus;
  /** Whether an invalidation of the key waits for Redis: until it is made, the key is loaded past Redis. */
  pendingInvalidation: boolean;
  /** False when Redis is away or off: then only this process was looked at. */
  redis: boolean;
}

/**
 * Looks at a key without counting, loading or changing anything.
 * @throws CacheKeyError; never an error of Redis
 */
export async function explain(parts: CacheParts, key: string): Promise<Explanation> {
  checkKey(key);
  const { names, flights, log, shared } = parts;
  const encoded = names.encode(key);
  const name = names.nameOf(key);
  const found: Found[] = [];
  const near = parts.near.look(name);
  if (near) found.push(ofNear(parts, near));
  let lease: Explanation['lease'];
  let current: Map<TokenName, string | undefined> | undefined;
  const usable = usableShared(parts);
  try {
    if (usable) {
      for (const tracked of [true, false]) {
        const remoteKey: RemoteKey = { key, encoded, tracked };
        const inspected = await usable.store.inspect(remoteKey);
        if (inspected.entry) found.push(ofShared(parts, usable, remoteKey, inspected.entry));
        const holder = inspected.lease;
        lease = holder && {
          here: flights.all().some(flight => flight.lease?.token === holder.token),
          remainingMs: holder.remainingMs,
        };
      }
      current = await tokensNow(usable, found);
    }
  } catch (error) {
    if (!(error instanceof RemoteUnavailableError)) throw error;
  }
  return {
    key,
    entries: found.map(one => judge(parts, one, key, current)),
    lease,
    loadsHere: flights.all().filter(flight => flight.name === name).length,
    gate: shared?.coherence.status() ?? { open: true, ageMs: null, lagMs: null },
    pendingInvalidation: log.concernsKey(key),
    redis: current !== undefined,
  };
}

/** An entry with what is still to be judged. */
interface Found {
  entry: Omit<ExplainedEntry, 'served' | 'dependsOn'>;
  tokens: readonly (readonly [TokenName, string])[];
  /** What this process knows of the tokens; for an entry of L1. */
  known: ReadonlyMap<TokenName, string | undefined>;
  /** Whether its tokens live in this process alone. */
  own: boolean;
}

function ofNear(parts: CacheParts, entry: NearEntry): Found {
  const nowMs = parts.clock.nowMs();
  const gatesOpen = entry.gates.every(gate => gate.isOpen(nowMs));
  return {
    entry: {
      tier: 'l1',
      home: entry.tier,
      why:
        nowMs >= entry.expiresAtMs
          ? 'expired'
          : entry.epoch !== parts.near.epoch
            ? 'suspect'
            : gatesOpen
              ? undefined
              : 'gate_closed',
      fault: undefined,
      ageMs: nowMs - entry.bornAtMs,
      freshMs: entry.staleAtMs - nowMs,
      staleMs: entry.expiresAtMs - nowMs,
      negative: entry.negative,
      bytes: entry.held.size,
    },
    tokens: entry.records.map((record, index) => [record.name, entry.tokens[index]!] as const),
    known: new Map(entry.records.map(record => [record.name, record.token])),
    // Tokens that Redis knows are told of through a gate.
    own: entry.records.every(record => record.gate === undefined),
  };
}

function ofShared(parts: CacheParts, { store }: SharedParts, key: RemoteKey, bytes: Uint8Array): Found {
  const entry = readEntry(bytes, key.key, parts.hash);
  const readable = typeof entry === 'string' ? undefined : entry;
  const ageMs = readable ? Math.max(0, store.serverNowMs(key.encoded) - readable.birthMs) : 0;
  const staleMs = (readable?.hardTtlMs ?? 0) - ageMs;
  return {
    entry: {
      tier: 'l2',
      home: key.tracked ? 'shared' : 'redis',
      why: !readable ? 'unreadable' : staleMs <= 0 ? 'expired' : undefined,
      fault: typeof entry === 'string' ? entry : undefined,
      ageMs,
      freshMs: (readable?.softTtlMs ?? 0) - ageMs,
      staleMs,
      negative: readable?.negative ?? false,
      bytes: bytes.length,
    },
    tokens: readable?.tokens ?? [],
    known: new Map(),
    own: false,
  };
}

async function tokensNow(
  { store }: SharedParts,
  found: readonly Found[],
): Promise<Map<TokenName, string | undefined>> {
  const names = [...new Set(found.filter(one => !one.own).flatMap(one => one.tokens.map(([name]) => name)))];
  const read = await store.read([], names);
  return new Map(names.map((name, index) => [name, read.tokens[index]]));
}

function judge(
  { log }: CacheParts,
  { entry, tokens, known, own }: Found,
  key: string,
  current: ReadonlyMap<TokenName, string | undefined> | undefined,
): ExplainedEntry {
  const dependsOn = tokens.map(([name, token]): Dependency => {
    const now = own || !current ? known.get(name) : current.get(name);
    const unknown = now === undefined && !own && !current;
    return { ...describe(name), valid: unknown ? undefined : now === token && !log.concernsToken(name) };
  });
  const invalidated = dependsOn.some(({ valid }) => valid === false);
  const why =
    entry.why ??
    (invalidated ? 'invalidated' : log.concernsKey(key) && !own ? 'pending_invalidation' : undefined);
  return { ...entry, why, served: why === undefined, dependsOn };
}

function describe(token: TokenName): Pick<Dependency, 'kind' | 'name'> {
  if (token === namespaceToken) return { kind: 'namespace', name: 'namespace' };
  const key = keyOfToken(token);
  const encoded = key ?? token;
  return { kind: key === undefined ? 'tag' : 'key', name: decodeKey(encoded) ?? encoded };
}
