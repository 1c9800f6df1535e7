/**
 * The commands and scripts of the protocol as pure functions over what a Redis holds: state in, state, reply and announced keys
 * out. The fake server runs them, and so does the model; a contract suite holds them to a real server.
 */
export interface Stored<V> {
  readonly value: V;
  readonly untilMs: number;
}
export type RedisState<V> = Readonly<Record<string, Stored<V>>>;

/** What a script changes. `changed` is what tracking announces, in order: writes, removals of what was there, new lives. */
export class Draft<V> {
  readonly state: Record<string, Stored<V>>;
  readonly changed: string[] = [];

  constructor(
    from: RedisState<V>,
    readonly nowMs: number,
  ) {
    this.state = { ...from };
  }

  get(key: string): V | undefined {
    const stored = this.state[key];
    if (stored === undefined) return undefined;
    if (stored.untilMs > this.nowMs) return stored.value;
    this.unlink(key);
    return undefined;
  }

  pttl(key: string): number {
    return this.get(key) === undefined ? -2 : this.state[key]!.untilMs - this.nowMs;
  }

  set(key: string, value: V, ttlMs: number): void {
    this.state[key] = { value, untilMs: this.nowMs + ttlMs };
    this.changed.push(key);
  }

  pexpire(key: string, ttlMs: number): boolean {
    const value = this.get(key);
    if (value === undefined) return false;
    this.set(key, value, ttlMs);
    return true;
  }

  unlink(key: string): boolean {
    if (this.state[key] === undefined) return false;
    delete this.state[key];
    this.changed.push(key);
    return true;
  }

  rename(from: string, to: string): void {
    const stored = this.state[from]!;
    this.unlink(from);
    this.state[to] = stored;
    this.changed.push(to);
  }
}

/** The places in an entry that scripts read and write. */
export interface EntryPlaces<V> {
  fillIdOf(entry: V): string;
  versionOf(entry: V): number;
}

/** The keys of one user key, as an invalidation removes them: data, untracked data, lease, token of the key. */
export type KeyQuad = readonly [data: string, untracked: string, lease: string, keyToken: string];

export function tok<V>(draft: Draft<V>, tokens: readonly string[], ttlMs: number, fresh: readonly V[]): V[] {
  return tokens.map((key, index) => {
    const token = draft.get(key);
    if (token === undefined) {
      draft.set(key, fresh[index]!, ttlMs);
      return fresh[index]!;
    }
    if (draft.pttl(key) < ttlMs / 2) draft.pexpire(key, ttlMs);
    return token;
  });
}

export type GetlReply<V> =
  { kind: 'entry'; entry: V } | { kind: 'acquired' } | { kind: 'busy'; remainingMs: number };

export function getl<V>(
  draft: Draft<V>,
  keys: { data: string; lease: string },
  token: V,
  leaseMs: number,
  seenFillId: string,
  places: EntryPlaces<V>,
): GetlReply<V> {
  const entry = draft.get(keys.data);
  if (entry !== undefined && places.fillIdOf(entry) !== seenFillId) return { kind: 'entry', entry };
  if (draft.get(keys.lease) !== undefined) return { kind: 'busy', remainingMs: draft.pttl(keys.lease) };
  draft.set(keys.lease, token, leaseMs);
  return { kind: 'acquired' };
}

export function fill<V>(
  draft: Draft<V>,
  keys: { data: string; lease: string },
  token: V,
  entry: V,
  ttlMs: number,
): boolean {
  if (draft.get(keys.lease) !== token) return false;
  draft.set(keys.data, entry, ttlMs);
  draft.unlink(keys.lease);
  return true;
}

export function renew<V>(draft: Draft<V>, lease: string, token: V, leaseMs: number): boolean {
  return draft.get(lease) === token && draft.pexpire(lease, leaseMs);
}

export function rel<V>(draft: Draft<V>, lease: string, token: V): boolean {
  return draft.get(lease) === token && draft.unlink(lease);
}

/** A cold load is announced under the name of its data, by a detour of the lease through that name. */
export function removeKey<V>(draft: Draft<V>, [data, untracked, lease, keyToken]: KeyQuad): void {
  draft.get(data);
  const announced = draft.unlink(data);
  draft.unlink(untracked);
  draft.unlink(keyToken);
  if (draft.get(lease) === undefined) return;
  if (announced) draft.unlink(lease);
  else {
    draft.rename(lease, data);
    draft.unlink(data);
  }
}

export function inv<V>(draft: Draft<V>, quads: readonly KeyQuad[], tokens: readonly string[]): void {
  for (const quad of quads) removeKey(draft, quad);
  for (const token of tokens) draft.unlink(token);
}

export function setd<V>(
  draft: Draft<V>,
  quad: KeyQuad,
  target: string,
  entry: V,
  ttlMs: number,
  deadlineMs: number,
  version: number,
  places: EntryPlaces<V>,
): 'stored' | 'late' | 'older' {
  if (draft.nowMs > deadlineMs) return 'late';
  const stored = draft.get(target);
  if (version > 0 && stored !== undefined && places.versionOf(stored) > version) return 'older';
  removeKey(draft, quad);
  draft.set(target, entry, ttlMs);
  return 'stored';
}
