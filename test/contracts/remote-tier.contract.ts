import {
  keyToken,
  parsePattern,
  RemoteUnavailableError,
  type Coherence,
  type RemoteEntry,
  type RemoteKey,
  type RemoteStore,
  type RemoteTier,
  type RemoteTierListener,
  type TokenName,
} from '../../src/cache/core';
import { fillIdOf, writeEntry } from '../../src/cache/core/entry';
import { NodeHash } from '../../src/cache/node/node-hash';
import { eventually } from '../integration/cache-node';

/** A server, real or not, and ways to it. */
export interface Backend {
  tier(): RemoteTier;
  /** Removes one key, as eviction does. `kind`: d, x, l, t, k, w, h, hh. */
  evict(kind: string, inner: string): Promise<void>;
  flushAll(): Promise<void>;
  /** Gone for a moment, and back under another identity, empty. Connected tiers find their way back. */
  restart(): Promise<void>;
  /** From now on the server takes commands and does nothing about them, until the function that comes back is called. */
  stall(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

const hash = new NodeHash();
const token = (): string => hash.randomToken();
const ttlMs = 60_000;

function key(name: string, tracked = true): RemoteKey {
  return { key: name, encoded: name, tracked };
}

function entry(name: string, value: string, fillId = token(), version = 0): Uint8Array {
  const header = {
    key: name,
    fillId,
    version,
    hardTtlMs: ttlMs,
    softTtlMs: ttlMs,
    negative: false,
    serializerId: 1,
    compressorId: 0,
    rawLength: value.length,
    tokens: [],
  };
  return writeEntry(header, Buffer.from(value), hash);
}

function one(name: string, value: string, version = 0): RemoteEntry {
  return { key: key(name), entry: entry(name, value, token(), version), ttlMs };
}

const payloadOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('latin1').slice(-2);

/** One instance: its way to the server, and everything that it was told. */
class Instance implements RemoteTierListener {
  readonly store: RemoteStore;
  readonly coherence: Coherence;
  readonly keys: string[] = [];
  readonly tokens: TokenName[] = [];
  readonly flushes: string[] = [];
  readonly greetings: boolean[] = [];
  /** Invalidated again before anything is read from a server that is there anew. */
  toReplay: { keys: string[]; tokens: TokenName[] } = { keys: [], tokens: [] };

  constructor(tier: RemoteTier) {
    const attached = tier.attach(this);
    this.store = attached.store;
    this.coherence = attached.coherence;
    this.store.open();
  }

  async beforeReads(
    sameServer: boolean,
    replay: (keys: readonly string[], tokens: readonly TokenName[]) => Promise<void>,
  ): Promise<void> {
    expect(this.store.available).toBe(false);
    this.greetings.push(sameServer);
    await replay(this.toReplay.keys, this.toReplay.tokens);
  }

  keyChanged(encoded: string): void {
    this.keys.push(encoded);
  }

  tokenChanged(name: TokenName): void {
    this.tokens.push(name);
  }

  flush(reason: string): void {
    this.flushes.push(reason);
  }

  stateChanged(): void {
    // `available` says the same.
  }

  get coherent(): boolean {
    return this.store.available && this.coherence.gateOf('k').isOpen(performance.now());
  }

  /** Writes something under another name and waits until it is told: what came before has been told by then. */
  async caughtUp(): Promise<void> {
    const mark = `mark-${token()}`;
    await this.store.ensureTokens([mark], ttlMs);
    await eventually(() => this.tokens.includes(mark));
    this.tokens.splice(this.tokens.indexOf(mark), 1);
  }

  async close(): Promise<void> {
    await this.coherence.close();
    await this.store.close();
  }
}

/** What the core relies on, whatever stands behind the port. */
export function remoteTierContract(start: () => Promise<Backend>): void {
  let backend: Backend;
  const instances: Instance[] = [];

  const join = async (): Promise<Instance> => {
    const instance = new Instance(backend.tier());
    instances.push(instance);
    await eventually(() => instance.coherent);
    return instance;
  };
  const load = async (store: RemoteStore, name: string, value: string, tracked = true): Promise<string> => {
    const lease = token();
    await store.acquire(key(name, tracked), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await store.fill(key(name, tracked), lease, entry(name, value, lease), ttlMs)).toBe(true);
    return lease;
  };

  beforeAll(async () => {
    backend = await start();
  });
  afterEach(async () => {
    await Promise.all(instances.splice(0).map(instance => instance.close()));
    await backend.flushAll();
  });
  afterAll(() => backend.stop());

  test('what is not there is undefined, keys and tokens alike, in the order asked', async () => {
    const { store } = await join();
    await load(store, 'a', 'v1');
    const [ta] = await store.ensureTokens(['ta'], ttlMs);
    const read = await store.read([key('b'), key('a')], ['tb', 'ta']);
    expect([read.entries[0], payloadOf(read.entries[1])]).toEqual([undefined, 'v1']);
    expect(read.tokens).toEqual([undefined, ta]);
  });

  test('a token is made once and is the same for everybody, until it is removed', async () => {
    const [a, b] = [await join(), await join()];
    const [first] = await a.store.ensureTokens(['t'], ttlMs);
    expect(first).toMatch(/^[\w-]{16}$/);
    expect(await b.store.ensureTokens(['t', 't2'], ttlMs)).toEqual([
      first,
      expect.not.stringMatching(first!),
    ]);
    await b.store.invalidate([], ['t']);
    expect((await a.store.read([], ['t'])).tokens).toEqual([undefined]);
    const [second] = await a.store.ensureTokens(['t'], ttlMs);
    expect(second).not.toBe(first);
  });

  test('the lease goes to one; the others are told that he is busy, and for how long', async () => {
    const [a, b] = [await join(), await join()];
    const ask = (store: RemoteStore): ReturnType<RemoteStore['acquire']> =>
      store.acquire(key('k'), { token: token(), leaseMs: 5_000, seenFillId: '' }, ['t'], ttlMs);
    const [first, second] = [await ask(a.store), await ask(b.store)];
    expect(first).toEqual({ kind: 'acquired', tokens: [expect.any(String)] });
    expect(second).toEqual({ kind: 'busy', remainingMs: expect.any(Number), tokens: first.tokens });
    expect((second as { remainingMs: number }).remainingMs).toBeGreaterThan(0);
    expect((second as { remainingMs: number }).remainingMs).toBeLessThanOrEqual(5_000);
  });

  test('an entry that was filled meanwhile is handed out instead of a lease, unless it is the one that was seen', async () => {
    const { store } = await join();
    const fillId = await load(store, 'k', 'v1');
    const ask = (seenFillId: string): ReturnType<RemoteStore['acquire']> =>
      store.acquire(key('k'), { token: token(), leaseMs: 5_000, seenFillId }, [], ttlMs);
    const other = await ask('');
    expect(other.kind).toBe('entry');
    expect(fillIdOf((other as { bytes: Uint8Array }).bytes)).toBe(fillId);
    expect((await ask(fillId)).kind).toBe('acquired');
  });

  test('a fill needs the lease: one that is gone, or another’s, stores nothing', async () => {
    const { store } = await join();
    expect(await store.fill(key('k'), token(), entry('k', 'v1'), ttlMs)).toBe(false);
    const lease = token();
    await store.acquire(key('k'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await store.fill(key('k'), token(), entry('k', 'v1'), ttlMs)).toBe(false);
    expect((await store.read([key('k')], [])).entries).toEqual([undefined]);
    expect(await store.fill(key('k'), lease, entry('k', 'v1'), ttlMs)).toBe(true);
    expect(await store.fill(key('k'), lease, entry('k', 'v2'), ttlMs)).toBe(false);
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v1');
  });

  test('a lease is renewed and released by its holder alone', async () => {
    const { store } = await join();
    const lease = token();
    await store.acquire(key('k'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await store.renew(key('k'), token(), 5_000)).toBe(false);
    await store.release(key('k'), token());
    expect(await store.renew(key('k'), lease, 5_000)).toBe(true);
    await store.release(key('k'), lease);
    expect(await store.renew(key('k'), lease, 5_000)).toBe(false);
  });

  test('an invalidation removes data of both tiers, the lease and the key’s token', async () => {
    const { store } = await join();
    await load(store, 'k', 'v1');
    await load(store, 'k', 'v2', false);
    await store.ensureTokens([keyToken('k')], ttlMs);
    const lease = token();
    await store.acquire(key('j'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    await store.invalidate(['k', 'j'], []);
    const read = await store.read([key('k'), key('k', false)], [keyToken('k')]);
    expect([...read.entries, ...read.tokens]).toEqual([undefined, undefined, undefined]);
    expect(await store.fill(key('j'), lease, entry('j', 'v1'), ttlMs)).toBe(false);
  });

  test('everybody hears of an entry that is filled, set or removed, and of one that is being loaded', async () => {
    const [a, b] = [await join(), await join()];
    const heard = async (): Promise<string[]> => {
      await a.caughtUp();
      await b.caughtUp();
      expect(new Set(a.keys)).toEqual(new Set(b.keys));
      a.keys.length = 0;
      return [...new Set(b.keys.splice(0))];
    };
    await load(a.store, 'k', 'v1');
    expect(await heard()).toEqual(['k']);
    await a.store.set([one('k', 'v2')], 0);
    expect(await heard()).toEqual(['k']);
    await a.store.invalidate(['k'], []);
    expect(await heard()).toEqual(['k']);
    await a.store.acquire(key('cold'), { token: token(), leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await heard()).toEqual([]);
    await b.store.invalidate(['cold'], []);
    expect(await heard()).toEqual(['cold']);
    // Nobody needs to hear of what nobody has, nor of what has no copies.
    await a.store.invalidate(['nothing'], []);
    await load(a.store, 'untracked', 'v1', false);
    expect(await heard()).toEqual([]);
  });

  test('everybody hears of a token that is made and of one that is removed', async () => {
    const [a, b] = [await join(), await join()];
    await a.caughtUp();
    b.tokens.length = 0;
    await a.store.ensureTokens(['t'], ttlMs);
    await b.caughtUp();
    expect(b.tokens).toEqual(['t']);
    await a.store.ensureTokens(['t'], ttlMs);
    await a.store.invalidate([], ['t']);
    await a.store.invalidate([], ['t']);
    await b.caughtUp();
    expect(b.tokens).toEqual(['t', 't']);
  });

  test('everybody hears of an entry that was evicted, and of a server that was emptied', async () => {
    const [a, b] = [await join(), await join()];
    await load(a.store, 'k', 'v1');
    await b.caughtUp();
    b.keys.length = 0;
    await backend.evict('d', 'k');
    await eventually(() => b.keys.includes('k'));
    b.flushes.length = 0;
    await backend.flushAll();
    await eventually(() => b.flushes.includes('server_flushed'));
  });

  test('a set replaces what is there and ends the load under way', async () => {
    const { store } = await join();
    const lease = token();
    await store.acquire(key('k'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await store.set([one('k', 'v2')], 0)).toEqual(['stored']);
    expect(await store.fill(key('k'), lease, entry('k', 'v1'), ttlMs)).toBe(false);
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v2');
  });

  test('a set of a lower version stores nothing; of the same or a higher one it does', async () => {
    const { store } = await join();
    const set = async (version: number): Promise<unknown> =>
      (await store.set([one('k', `v${version}`, version)], version))[0];
    expect(await set(5)).toBe('stored');
    expect(await set(4)).toBe('older');
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v5');
    expect(await set(5)).toBe('stored');
    expect(await set(6)).toBe('stored');
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v6');
  });

  test('of many that are set each is stored as one would be, and ends the load under way of its key, whichever tier it is for', async () => {
    const [a, b] = [await join(), await join()];
    const names = Array.from({ length: 100 }, (_, at) => `k${at}`);
    const tracked = (at: number): boolean => at % 3 !== 0;
    const leases = names.map(() => token());
    for (const [at, name] of names.entries()) {
      // Some are there already, in the other tier, and some are being loaded.
      if (at % 2 === 0) await load(a.store, name, 'v1', !tracked(at));
      const lease = { token: leases[at]!, leaseMs: 5_000, seenFillId: '' };
      if (at % 5 !== 0) await a.store.acquire(key(name, tracked(at)), lease, [], ttlMs);
    }
    await b.caughtUp();
    b.keys.length = 0;
    const entries = names.map((name, at) => ({ ...one(name, 'v2'), key: key(name, tracked(at)) }));
    expect(await a.store.set(entries, 0)).toEqual(names.map(() => 'stored'));
    await b.caughtUp();
    const changed = names.filter((_, at) => tracked(at) || at % 2 === 0 || at % 5 !== 0);
    expect([...new Set(b.keys)].sort()).toEqual([...changed].sort());
    const read = await a.store.read(
      [...entries.map(each => each.key), ...names.map((name, at) => key(name, !tracked(at)))],
      [],
    );
    expect(read.entries.map(bytes => (bytes ? payloadOf(bytes) : undefined))).toEqual([
      ...names.map(() => 'v2'),
      ...names.map(() => undefined),
    ]);
    for (const [at, name] of names.entries())
      expect(await a.store.fill(key(name, tracked(at)), leases[at]!, entry(name, 'v1'), ttlMs)).toBe(false);
    expect(await a.store.set([], 0)).toEqual([]);
  });

  test('of many that are set, those of which a newer version is there stay as they are, and their loads go on', async () => {
    const { store } = await join();
    await store.set([one('k1', 'v2', 5)], 5);
    const lease = token();
    await store.acquire(key('k1', false), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    const entries = ['k0', 'k1', 'k2'].map(name => one(name, 'v1', 4));
    expect(await store.set(entries, 4)).toEqual(['stored', 'older', 'stored']);
    const { entries: stored } = await store.read(
      entries.map(each => each.key),
      [],
    );
    expect(stored.map(payloadOf)).toEqual(['v1', 'v2', 'v1']);
    expect(await store.renew(key('k1'), lease, 5_000)).toBe(true);
  });

  test('the age of an entry is told in the time of the server', async () => {
    const { store } = await join();
    await load(store, 'k', 'v1');
    const bytes = Buffer.from((await store.read([key('k')], [])).entries[0]!);
    const ageMs = store.serverNowMs() - bytes.readDoubleBE(24);
    // As exact as a trip to the server.
    expect(ageMs).toBeGreaterThan(-1_000);
    expect(ageMs).toBeLessThan(30_000);
  });

  test('an entry, and a lease, end by themselves', async () => {
    const { store } = await join();
    const lease = token();
    await store.acquire(key('k'), { token: lease, leaseMs: 20, seenFillId: '' }, [], ttlMs);
    await eventually(async () => !(await store.renew(key('k'), token(), 1)) && (await ended(store, 'k')));
    expect(await store.fill(key('k'), lease, entry('k', 'v1'), ttlMs)).toBe(false);
    const again = token();
    await store.acquire(key('k'), { token: again, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    await store.fill(key('k'), again, entry('k', 'v1'), 20);
    await eventually(async () => (await store.read([key('k')], [])).entries[0] === undefined);
  });

  test('a clear by pattern removes what matches, leases included, and nothing else', async () => {
    const [a, b] = [await join(), await join()];
    await load(a.store, 'users:1', 'v1');
    await load(a.store, 'users:2', 'v1', false);
    await load(a.store, 'other', 'v1');
    const lease = token();
    await a.store.acquire(key('users:3'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    const dry = await a.store.clearMatching(parsePattern('users:*'), { dryRun: true });
    expect(dry).toMatchObject({ matched: 2, removed: 0, done: true });
    await b.caughtUp();
    b.keys.length = 0;
    const seen: number[] = [];
    const progress = await a.store.clearMatching(parsePattern('users:*'), {
      dryRun: false,
      onProgress: ({ removed }) => seen.push(removed),
    });
    expect(progress).toMatchObject({ matched: 2, removed: 2, done: true });
    expect(seen.at(-1)).toBe(2);
    expect(await a.store.fill(key('users:3'), lease, entry('users:3', 'v1'), ttlMs)).toBe(false);
    const read = await a.store.read([key('users:1'), key('users:2', false), key('other')], []);
    expect(read.entries.map(payloadOf)).toEqual([undefined, undefined, 'v1']);
    await b.caughtUp();
    expect([...new Set(b.keys)].sort()).toEqual(['users:1', 'users:3']);
  });

  test('a clear by pattern that is cancelled says that it is not done', async () => {
    const { store } = await join();
    await load(store, 'k', 'v1');
    const progress = await store.clearMatching(parsePattern('*'), {
      dryRun: false,
      signal: AbortSignal.abort(),
    });
    expect(progress.done).toBe(false);
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v1');
  });

  test('a look shows the entry and who holds the lease, and changes nothing', async () => {
    const { store } = await join();
    expect(await store.inspect(key('k'))).toEqual({ entry: undefined, lease: undefined });
    const lease = token();
    await store.acquire(key('k'), { token: lease, leaseMs: 5_000, seenFillId: '' }, [], ttlMs);
    expect(await store.inspect(key('k'))).toEqual({
      entry: undefined,
      lease: { token: lease, remainingMs: expect.any(Number) },
    });
    await store.fill(key('k'), lease, entry('k', 'v1'), ttlMs);
    const { entry: bytes, lease: after } = await store.inspect(key('k'));
    expect([payloadOf(bytes), after]).toEqual(['v1', undefined]);
  });

  test('a round of a job is led by one, and after its end by nobody', async () => {
    const [a, b] = [(await join()).store.ledger, (await join()).store.ledger];
    expect(await a.lead('job {1}', 10, ttlMs)).toEqual({ kind: 'leads', epoch: 1, progress: undefined });
    expect(await b.lead('job {1}', 10, ttlMs)).toEqual({ kind: 'busy' });
    expect(await b.lead('another', 10, ttlMs)).toMatchObject({ kind: 'leads', epoch: 1 });
    expect(await a.keepLead('job {1}', 1, ttlMs, 'x 3')).toBe(true);
    await a.endLead('job {1}', 1, 10);
    expect([await b.lead('job {1}', 10, ttlMs), await b.lead('job {1}', 9, ttlMs)]).toEqual([
      { kind: 'over' },
      { kind: 'over' },
    ]);
    expect(await b.lead('job {1}', 11, ttlMs)).toEqual({ kind: 'leads', epoch: 2, progress: undefined });
  });

  test('who takes over a lead that was lost goes on from its progress, and the one before is refused (F57, F58)', async () => {
    const [a, b] = [(await join()).store.ledger, (await join()).store.ledger];
    await a.lead('job', 1, ttlMs);
    await a.keepLead('job', 1, ttlMs, 'x 3');
    await backend.evict('w', 'job');
    expect(await b.lead('job', 1, ttlMs)).toEqual({ kind: 'leads', epoch: 2, progress: 'x 3' });
    expect(await a.keepLead('job', 1, ttlMs, 'x 9')).toBe(false);
    await a.endLead('job', 1, 1);
    expect(await a.lead('job', 1, ttlMs)).toEqual({ kind: 'busy' });
    await b.endLead('job', 2, undefined);
    expect(await a.lead('job', 1, ttlMs)).toEqual({ kind: 'leads', epoch: 3, progress: 'x 3' });
  });

  test('a lead that was lost to nobody is kept', async () => {
    const { ledger } = (await join()).store;
    await ledger.lead('job', 1, ttlMs);
    await backend.evict('w', 'job');
    expect(await ledger.keepLead('job', 1, ttlMs, 'x 1')).toBe(true);
    expect(await ledger.lead('job', 1, ttlMs)).toEqual({ kind: 'busy' });
  });

  test('a ranking adds up what instances tell, and keeps the best', async () => {
    const [a, b] = [(await join()).store.ledger, (await join()).store.ledger];
    const bounds = { keep: 3, halfLifeMs: ttlMs, ttlMs };
    expect(await a.topScores('r', 10)).toEqual([]);
    await a.addScores('r', [['x', 5], ['y', 1], ['z', 4]], bounds); // prettier-ignore
    await b.addScores('r', [['y', 7], ['w', 2]], bounds); // prettier-ignore
    expect(await b.topScores('r', 10)).toEqual([['y', 8], ['x', 5], ['z', 4]]); // prettier-ignore
    expect(await b.topScores('r', 1)).toEqual([['y', 8]]);
    expect(await b.topScores('another', 10)).toEqual([]);
  });

  test('what was read long ago counts less, and then is forgotten', async () => {
    const { ledger } = (await join()).store;
    const bounds = { keep: 3, halfLifeMs: ttlMs, ttlMs };
    await ledger.addScores('r', [['x', 4], ['once', 0.8]], bounds); // prettier-ignore
    await backend.evict('hh', 'r');
    await ledger.addScores('r', [['y', 3]], bounds);
    expect(await ledger.topScores('r', 10)).toEqual([['y', 3], ['x', 2]]); // prettier-ignore
  });

  test('a board shows what each instance has said last, until it takes that back', async () => {
    const [a, b] = [(await join()).store.ledger, (await join()).store.ledger];
    expect(await a.notices('b', ttlMs)).toEqual([]);
    await a.post('b', 'one', 'first words', ttlMs);
    await b.post('b', 'other', '{"x": 1}', ttlMs);
    await a.post('b', 'one', 'last', ttlMs);
    const said = async (): Promise<unknown> =>
      (await b.notices('b', ttlMs)).map(({ instance, text }) => [instance, text]).sort();
    expect(await said()).toEqual([['one', 'last'], ['other', '{"x": 1}']]); // prettier-ignore
    for (const { ageMs } of await a.notices('b', ttlMs)) expect(ageMs).toBeGreaterThanOrEqual(0);
    await b.post('b', 'other', '', ttlMs);
    expect(await said()).toEqual([['one', 'last']]);
    expect(await a.notices('another', ttlMs)).toEqual([]);
    // One that is older than what is asked for is of somebody who is gone.
    expect(await a.notices('b', -1)).toEqual([]);
  });

  test('without replicas no invalidation is durable, and it is applied all the same', async () => {
    const { store } = await join();
    await load(store, 'k', 'v1');
    expect(await store.invalidate(['k'], [], { replicas: 1, timeoutMs: 20 })).toEqual({ durable: false });
    expect((await store.read([key('k')], [])).entries).toEqual([undefined]);
    expect(await store.invalidate(['k'], [])).toEqual({});
  });

  test('another server is greeted before anything is read from it, and what must be made again is', async () => {
    const a = await join();
    // One that is seen for the first time is another one: nobody knows what it has heard of.
    expect(a.greetings).toEqual([false]);
    const [before] = await a.store.ensureTokens(['t'], ttlMs);
    a.toReplay = { keys: ['k'], tokens: ['t'] };
    a.flushes.length = 0;
    await backend.restart();
    await eventually(() => a.greetings.length > 1 && a.coherent, 15_000);
    expect(a.greetings).toHaveLength(2);
    expect(a.greetings.at(-1)).toBe(false);
    expect(a.flushes).toEqual(expect.arrayContaining(['disconnected', 'armed']));
    const [after] = await a.store.ensureTokens(['t'], ttlMs);
    expect(after).not.toBe(before);
  });

  test('a token past half of its life is renewed, and everybody hears of it; before that nobody does', async () => {
    const [a, b] = [await join(), await join()];
    const [made] = await a.store.ensureTokens(['t'], ttlMs);
    await b.caughtUp();
    b.tokens.length = 0;
    expect(await a.store.ensureTokens(['t'], ttlMs)).toEqual([made]);
    await b.caughtUp();
    expect(b.tokens).toEqual([]);
    expect(await a.store.ensureTokens(['t'], 3 * ttlMs)).toEqual([made]);
    await b.caughtUp();
    expect(b.tokens).toEqual(['t']);
  });

  test('what a stalled server is asked fails in the one way, and a set that it makes too late stores nothing', async () => {
    const { store } = await join();
    await load(store, 'k', 'v1');
    const resume = await backend.stall();
    try {
      await Promise.all([
        expect(store.set([one('k', 'v2')], 0)).rejects.toThrow(RemoteUnavailableError),
        expect(store.read([key('k')], [])).rejects.toThrow(RemoteUnavailableError),
      ]);
    } finally {
      await resume();
    }
    await eventually(() => store.available, 15_000);
    // Whatever was sent before it over the same way has been done when this has.
    await store.ensureTokens(['after'], ttlMs);
    expect(payloadOf((await store.read([key('k')], [])).entries[0])).toBe('v1');
  });

  test('closed, it is not available, its gate is shut, and every call fails in the one way', async () => {
    const instance = await join();
    await instance.close();
    expect([instance.store.available, instance.coherence.gateOf('k').isOpen(performance.now())]).toEqual([
      false,
      false,
    ]);
    await expect(instance.store.read([key('k')], [])).rejects.toThrow(RemoteUnavailableError);
    await expect(instance.store.invalidate(['k'], [])).rejects.toThrow(RemoteUnavailableError);
  });
}

/** Whether the lease of a key has run out; looks without taking it. */
async function ended(store: RemoteStore, name: string): Promise<boolean> {
  return (await store.inspect(key(name))).lease === undefined;
}
