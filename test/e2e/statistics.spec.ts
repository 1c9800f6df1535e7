import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { RedisServer } from './harness/redis-server';
import { coherent } from './harness/two-instances';

interface PolicyStatistics {
  gets: number;
  hits: number;
  misses: number;
  hit_rate: number;
  rating: string;
  outcomes: Record<string, number>;
  miss_causes: Record<string, number>;
  loads: Record<string, number>;
  tiers: { l1: Record<string, number>; l2: Record<string, number> };
}
interface Statistics extends PolicyStatistics {
  scope: string;
  window: string;
  window_seconds: number;
  instances: { instance: string; age_ms: number }[] | null;
  complete: boolean;
  coherence: { gate_open: boolean };
  invalidations: Record<string, number>;
  redis_server: Record<string, number>;
  policies: Record<string, PolicyStatistics>;
}

/** An instance tells its counts every five seconds, and is gone after sixteen. */
const toldMs = 30_000;

describe('statistics of two instances', () => {
  let redis: RedisServer;
  let a: Application;
  let b: Application;
  const statsOf = async (app: Application, query = ''): Promise<Statistics> =>
    (await app.get<Statistics>(`/api/v1/cache/stats${query}`)).body;
  /** Counts of the policy of cached routes, those that are not 0. */
  const counted = ({ policies }: Statistics): unknown => {
    const { gets, hits, misses, outcomes, miss_causes: causes, loads, tiers } = policies['api']!;
    const some = (counts: Record<string, number>): unknown =>
      Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
    const { count, errors, refreshes, origin_calls_avoided } = loads;
    return {
      ...{ gets, hits, misses, count, errors, refreshes, origin_calls_avoided },
      outcomes: some(outcomes),
      causes: some(causes),
      l1: some(tiers.l1),
      l2: [tiers.l2['hits'], tiers.l2['misses'], tiers.l2['sets'], tiers.l2['errors']],
    };
  };

  beforeAll(async () => {
    redis = await RedisServer.start();
    const env = { REDIS_URL: redis.url };
    [a, b] = await Promise.all([Application.start(env), Application.start(env)]);
    await coherent(a, b);
  });
  afterAll(async () => {
    await Promise.all([a.stop(), b.stop()]);
    await redis.stop();
  });

  test('every count of a known sequence is the one that was made by hand, in each window', async () => {
    const path = '/api/v1/agents?limit=7';
    await a.get(path); // a miss, of something never seen
    await a.get(path); // from Redis: word of its own write empties its memory of it
    await a.get(path); // from its memory
    await a.get(path, { Cookie: 'session=1' }); // past the cache
    await b.get(path); // from Redis
    await b.get(path); // from its memory
    await a.post('/api/v1/cache/invalidate', ['agents']);
    await a.get(path); // a miss, because it was invalidated
    await eventually(async () => {
      // Word of the invalidation has come when what is read is from Redis again.
      const { headers } = await b.get('/api/v1/agents?limit=7');
      expect(headers.get('cache-status')).toMatch(/detail=l2/);
    });
    const [one, other] = await Promise.all([statsOf(a), statsOf(b)]);
    expect(counted(one)).toEqual({
      gets: 5,
      hits: 2,
      misses: 2,
      count: 2,
      errors: 0,
      refreshes: 0,
      origin_calls_avoided: 2,
      outcomes: { miss: 2, l1_hit: 1, l2_hit: 1, bypass: 1 },
      causes: { cold: 1, invalidated: 1 },
      l1: { hits: 1, misses: 3, sets: 1 },
      l2: [1, 2, 2, 0],
    });
    const { l1_hit: near, l2_hit: shared } = other.policies['api']!.outcomes;
    expect([shared, other.policies['api']!.gets]).toEqual([2, near! + 2]);
    expect([one.policies['api']!.hit_rate, one.policies['api']!.rating]).toEqual([0.5, 'insufficient_data']);
    for (const window of ['1m', '5m', '1h']) {
      const within = await statsOf(a, `?window=${window}`);
      expect([within.window, counted(within)]).toEqual([window, counted(one)]);
      expect(within.window_seconds).toBeLessThan(65);
    }
  });

  test('bytes, invalidations and the numbers of the server are those that can be counted outside', async () => {
    const client = redis.client();
    const before = await statsOf(a);
    const path = '/api/v1/agents?limit=17';
    await a.get(path);
    const [key] = await client.keys('*:d:{agents:list*limit=2:17*');
    const bytes = await client.strlen(key!);
    const beforeB = await statsOf(b);
    let fromRedis = 0;
    await eventually(async () => {
      const { headers } = await b.get(path);
      if (/detail=l2/.test(headers.get('cache-status')!)) fromRedis += 1;
      expect(headers.get('cache-status')).toMatch(/detail=l1/);
    });
    const afterB = await statsOf(b);
    await a.post('/api/v1/cache/invalidate', { tags: ['x', 'y'], keys: ['z'] });
    const serverOf = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        (await client.info('all'))
          .split('\r\n')
          .map(line => line.split(':'))
          .map(([name, value]) => [name, Number(value)]),
      );
    const earlier = await serverOf();
    const after = await statsOf(a);
    const later = await serverOf();
    client.disconnect();
    const l2Of = ({ policies }: Statistics): Record<string, number> => policies['api']!.tiers.l2;
    expect(bytes).toBeGreaterThan(300);
    expect(l2Of(after)['bytes_written']! - l2Of(before)['bytes_written']!).toBe(bytes);
    expect(fromRedis).toBeGreaterThan(0);
    expect(l2Of(afterB)['bytes_read']! - l2Of(beforeB)['bytes_read']!).toBe(fromRedis * bytes);
    expect({
      tags: after.invalidations['tags']! - before.invalidations['tags']!,
      keys: after.invalidations['keys']! - before.invalidations['keys']!,
    }).toEqual({ tags: 2, keys: 1 });
    for (const name of ['keyspace_hits', 'keyspace_misses', 'total_commands_processed', 'evicted_keys']) {
      expect([name, after.redis_server[name]! >= earlier[name]!]).toEqual([name, true]);
      expect([name, after.redis_server[name]! <= later[name]!]).toEqual([name, true]);
    }
    expect(after.redis_server['connected_clients']).toBe(later['connected_clients']);
  });

  test('the fleet is the sum of its instances, whoever is asked; who has left is not in it', async () => {
    const sumOf = (x: Statistics, y: Statistics): Record<string, number> =>
      Object.fromEntries(
        Object.entries(x.policies['api']!.outcomes).map(([name, count]) => [
          name,
          count + y.policies['api']!.outcomes[name]!,
        ]),
      );
    await eventually(async () => {
      const [one, other, fleetA, fleetB] = await Promise.all([
        statsOf(a),
        statsOf(b),
        statsOf(a, '?scope=fleet'),
        statsOf(b, '?scope=fleet'),
      ]);
      for (const fleet of [fleetA, fleetB]) {
        expect([fleet.scope, fleet.complete, fleet.instances!.length]).toEqual(['fleet', true, 2]);
        expect(fleet.policies['api']!.outcomes).toEqual(sumOf(one, other));
        expect(fleet.instances!.map(({ age_ms }) => age_ms).filter(age => age === 0)).toHaveLength(1);
      }
    }, toldMs);
    await b.stop();
    const [alone, fleet] = await Promise.all([statsOf(a), statsOf(a, '?scope=fleet')]);
    expect(fleet.instances).toHaveLength(1);
    expect(counted(fleet)).toEqual(counted(alone));
  });

  test('an instance that was killed is gone after a while, and counted once until then', async () => {
    b = await Application.start({ REDIS_URL: redis.url });
    await b.get('/api/v1/agents?limit=9');
    await eventually(
      async () => expect((await statsOf(a, '?scope=fleet')).instances).toHaveLength(2),
      toldMs,
    );
    await b.stop('SIGKILL');
    expect((await statsOf(a, '?scope=fleet')).instances).toHaveLength(2);
    await eventually(
      async () => expect((await statsOf(a, '?scope=fleet')).instances).toHaveLength(1),
      toldMs,
    );
  });

  test('without Redis it is this instance alone, and says that others are missing', async () => {
    await redis.kill();
    await eventually(async () => {
      const fleet = await statsOf(a, '?scope=fleet');
      expect([fleet.complete, fleet.instances!.length]).toEqual([false, 1]);
    });
  });
});
