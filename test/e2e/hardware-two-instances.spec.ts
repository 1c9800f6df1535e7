import { type Application } from './harness/application';
import { metricOf } from './harness/counts';
import { eventually } from './harness/eventually';
import { type TwoInstances, twoInstances } from './harness/two-instances';

interface Config {
  interval_seconds: number;
  retention_days: number;
}
interface Alert {
  id: number;
  host: string;
  resource: string;
  state: string;
  cleared_value: number | null;
  acknowledged_by: string | null;
}

const host = 'the-host';
const config = '/api/v1/hardware/monitoring/config';
const alerts = '/api/v1/hardware/alerts';
/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;
const unwatched = { cpu: null, load: null, memory: null, swap: null, disk: null };

describe('two instances of one host on one Redis and one PostgreSQL server', () => {
  let two: TwoInstances | undefined;
  let a: Application;
  let b: Application;
  const both = <T>(ask: (app: Application) => Promise<T>): Promise<T[]> => Promise.all([a, b].map(ask));
  const query = <T = Record<string, unknown>>(sql: string): Promise<T[]> =>
    two!.postgres.query<T>(sql, [], two!.url);
  const ticks = async (app: Application): Promise<Record<'written' | 'duplicate' | 'failed', number>> => {
    const { text } = await app.get('/metrics');
    const of = (result: string): number => metricOf(text, `hardware_samples_total{result="${result}"}`);
    return { written: of('written'), duplicate: of('duplicate'), failed: of('failed') };
  };
  const change = async (app: Application, body: object): Promise<void> => {
    const { status, text } = await app.post(config, body);
    expect([status, text]).toEqual([200, expect.any(String)]);
  };
  const alertsOf = async (app: Application, more = ''): Promise<Alert[]> =>
    (await app.get<{ alerts: Alert[] }>(`${alerts}?host=${host}${more}`)).body.alerts;
  const rowsOpen = () => query<{ id: string }>('SELECT id FROM hardware_alerts WHERE cleared_at IS NULL');
  /** Both hold a list in memory that is good for ten seconds: longer than the tests below wait for another one. */
  const holdLists = async (): Promise<void> => {
    await a.post('/api/v1/cache/invalidate', ['hardware:alerts']);
    await both(app => alertsOf(app));
    for (const app of [a, b])
      expect((await app.get(`${alerts}?host=${host}`)).headers.get('cache-status')).toMatch(/hit/);
  };

  beforeAll(async () => {
    two = await twoInstances({ HARDWARE_MONITORING: 'on', HARDWARE_HOST_ID: host, LOG_LEVEL: 'info' });
    ({ a, b } = two);
    await change(a, { thresholds: unwatched });
  }, 60_000);
  afterAll(async () => {
    const exits = await two?.stop();
    expect(exits).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  test('both follow a change of the interval without a restart', async () => {
    const [{ interval_seconds }] = await both(async app => (await app.get<Config>(config)).body) as [Config, Config]; // prettier-ignore
    expect(interval_seconds).toBe(30);
    await change(a, { interval_seconds: 1 });
    expect((await a.get<Config>(config)).body.interval_seconds).toBe(1);
    await eventually(async () => expect((await b.get<Config>(config)).body.interval_seconds).toBe(1), boundMs, 1); // prettier-ignore
    const before = await both(ticks);
    await eventually(async () => {
      for (const [at, now] of (await both(ticks)).entries())
        expect(now.written + now.duplicate - before[at]!.written - before[at]!.duplicate).toBeGreaterThanOrEqual(3); // prettier-ignore
    });
  });

  test('they write one row for each tick between them', async () => {
    await eventually(async () => {
      const counts = await both(ticks);
      expect(counts[0]!.duplicate + counts[1]!.duplicate).toBeGreaterThanOrEqual(3);
    });
    // Stopped for the count: what is written between two looks would be counted once only.
    await change(a, { interval_seconds: 3_600 });
    await eventually(async () => {
      const counts = await both(ticks);
      const [{ rows }] = await query<{ rows: number }>('SELECT count(*)::int AS rows FROM hardware_samples') as [{ rows: number }]; // prettier-ignore
      expect(counts[0]!.written + counts[1]!.written).toBe(rows);
      expect(rows).toBeGreaterThanOrEqual(3);
    });
    await change(a, { interval_seconds: 1 });
    const rows = await query('SELECT * FROM hardware_samples ORDER BY tick DESC LIMIT 3');
    for (const row of rows) {
      expect(row['host']).toBe(host);
      expect(row['memory_percent']).toBeGreaterThan(0);
      expect(row['memory_percent']).toBeLessThanOrEqual(100);
      expect(row['cpu_percent']).toBeGreaterThanOrEqual(0);
      expect(Math.abs(Date.now() / 1_000 - Number(row['tick']))).toBeLessThan(60);
    }
  });

  test('an alert is raised once, and seen on both within the bound', async () => {
    await holdLists();
    await change(a, { thresholds: { memory: { raise: 0.1, clear: 0, samples: 2 } } });
    await eventually(async () => expect(await rowsOpen()).toHaveLength(1), 5_000);
    await eventually(async () => {
      for (const list of await both(app => alertsOf(app)))
        expect(list).toMatchObject([{ resource: 'memory', state: 'open', acknowledged_by: null }]);
    }, boundMs);
    const [before] = await both(ticks);
    await eventually(async () => expect((await both(ticks))[0]!.written + (await both(ticks))[0]!.duplicate).toBeGreaterThan(before!.written + before!.duplicate + 2)); // prettier-ignore
    expect(await query('SELECT id FROM hardware_alerts')).toHaveLength(1);
  });

  test('an acknowledgement is seen by the next read, and on the other within the bound', async () => {
    const [alert] = await alertsOf(b);
    await holdLists();
    expect((await a.post(`${alerts}/${alert!.id}/acknowledge`)).status).toBe(200);
    expect((await alertsOf(a))[0]!.acknowledged_by).toBe('loopback');
    await eventually(async () => expect((await alertsOf(b))[0]!.acknowledged_by).toBe('loopback'), boundMs, 1); // prettier-ignore
  });

  test('it stays open between the two thresholds, and is cleared past the lower one', async () => {
    await change(b, { thresholds: { memory: { raise: 100, clear: 0, samples: 1 } } });
    const [before] = await both(ticks);
    await eventually(async () => {
      const [now] = await both(ticks);
      expect(now!.written + now!.duplicate).toBeGreaterThan(before!.written + before!.duplicate + 2);
    });
    expect(await rowsOpen()).toHaveLength(1);
    await holdLists();
    await change(b, { thresholds: { memory: { raise: 100, clear: 99.9, samples: 1 } } });
    await eventually(async () => expect(await rowsOpen()).toEqual([]), 5_000);
    await eventually(async () => {
      for (const list of await both(app => alertsOf(app)))
        expect(list).toMatchObject([{ state: 'cleared', cleared_value: expect.any(Number) }]);
    }, boundMs);
    expect(await alertsOf(a, '&state=open')).toEqual([]);
  });

  test('one of what is not watched any more is cleared without a value', async () => {
    await change(a, { thresholds: { memory: { raise: 0.1, clear: 0, samples: 1 } } });
    await eventually(async () => expect(await rowsOpen()).toHaveLength(1), 5_000);
    await change(a, { thresholds: { memory: null } });
    await eventually(async () => expect(await rowsOpen()).toEqual([]), 5_000);
    const [row] = await query('SELECT cleared_value FROM hardware_alerts ORDER BY id DESC LIMIT 1');
    expect(row).toEqual({ cleared_value: null });
  });

  test('what is older than the retention is dropped, of hosts that are gone too, and nothing else', async () => {
    const day = 86_400;
    await query(
      `INSERT INTO hardware_samples (host, tick) SELECT 'gone', (floor(extract(epoch FROM now()))::bigint - 3 * ${day}) - n FROM generate_series(1, 2500) AS n`,
    );
    await query(
      `INSERT INTO hardware_samples (host, tick) VALUES ('elsewhere', floor(extract(epoch FROM now()))::bigint - ${day})`,
    );
    await query(
      `INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples, cleared_at)
       VALUES ('gone', 'cpu', now() - interval '3 days', 99, 90, 80, 1, NULL), ('elsewhere', 'cpu', now() - interval '3 days', 99, 90, 80, 1, NULL),
              ('elsewhere', 'disk', now() - interval '4 days', 99, 90, 80, 1, now() - interval '3 days')`,
    );
    await change(b, { retention_days: 2 });
    await eventually(async () => {
      expect(await query(`SELECT host FROM hardware_samples WHERE host = 'gone'`)).toEqual([]);
      expect(await query(`SELECT host, resource FROM hardware_alerts WHERE host <> '${host}'`)).toEqual([
        { host: 'elsewhere', resource: 'cpu' },
      ]);
    });
    expect(await query(`SELECT host FROM hardware_samples WHERE host = 'elsewhere'`)).toHaveLength(1);
    const texts = await both(async app => (await app.get('/metrics')).text);
    expect(texts.reduce((sum, text) => sum + metricOf(text, 'hardware_samples_pruned_total'), 0)).toBe(2_500);
  });

  test('without the database ticks are lost and counted, said once, and recorded again when it is back', async () => {
    const said = (app: Application, text: string): number => app.output.split(text).length - 1;
    await two!.postgres.kill();
    await eventually(async () => {
      for (const { failed } of await both(ticks)) expect(failed).toBeGreaterThanOrEqual(3);
    }, 20_000);
    for (const app of [a, b]) {
      expect(said(app, 'cannot be recorded: the database cannot be reached')).toBe(1);
      expect(said(app, 'cannot be recorded')).toBe(1);
      expect(app.output).not.toContain('params:');
    }
    await two!.postgres.up();
    const [before] = await query<{ rows: number }>('SELECT count(*)::int AS rows FROM hardware_samples');
    await eventually(async () => {
      const [now] = await query<{ rows: number }>('SELECT count(*)::int AS rows FROM hardware_samples');
      expect(now!.rows).toBeGreaterThan(before!.rows);
      for (const app of [a, b]) expect(said(app, 'is recorded again')).toBe(1);
    });
  });
});
