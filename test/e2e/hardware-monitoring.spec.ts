import { Application } from './harness/application';
import { countsOf, expectUntouched } from './harness/counts';
import { expectProblem } from './harness/problem';
import { PostgresServer } from './harness/postgres-server';

interface Threshold {
  raise: number;
  clear: number;
  samples: number;
}
interface Config {
  interval_seconds: number;
  retention_days: number;
  thresholds: Record<string, Threshold | null>;
  updated_at: string | null;
  updated_by: string | null;
}
interface Alert {
  id: number;
  host: string;
  resource: string;
  state: string;
  message: string;
  cleared_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
}
interface AlertList {
  alerts: Alert[];
  count: number;
  next_before: number | null;
}

const config = '/api/v1/hardware/monitoring/config';
const alerts = '/api/v1/hardware/alerts';
const key = 'first-Key.of_this~Test-0123456789!';
const admin = { 'X-API-Key': key };

describe('the configuration of the monitoring', () => {
  let app: Application;
  const read = async (): Promise<Config> => (await app.get<Config>(config)).body;
  const change = (body: unknown) => app.post<Config>(config, body, admin);
  beforeAll(async () => {
    app = await Application.start({ ADMIN_API_KEYS: key });
  });
  afterAll(() => app.stop());

  it('has its defaults, from the cache the second time, for 300 s', async () => {
    const first = await app.get<Config>(config);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      interval_seconds: 30,
      retention_days: 7,
      thresholds: {
        cpu: { raise: 90, clear: 75, samples: 4 },
        load: { raise: 4, clear: 2, samples: 4 },
        memory: { raise: 90, clear: 85, samples: 4 },
        swap: { raise: 80, clear: 60, samples: 4 },
        disk: { raise: 90, clear: 85, samples: 2 },
      },
      updated_at: null,
      updated_by: null,
    });
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=300\b/);
    const queries = async (): Promise<number> => (await countsOf(app)).queries;
    await expectUntouched(queries, async () => {
      const second = await app.get(config);
      expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit/);
      expect(second.body).toEqual(first.body);
    });
  });

  it('keeps what a change leaves out, says who changed it, and the next read sees it', async () => {
    const before = await read();
    const { status, body } = await change({
      interval_seconds: 15,
      thresholds: { cpu: { raise: 95.5, clear: 50, samples: 2 }, swap: null },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...before,
      interval_seconds: 15,
      thresholds: { ...before.thresholds, cpu: { raise: 95.5, clear: 50, samples: 2 }, swap: null },
      updated_at: expect.stringMatching(/Z$/),
      updated_by: expect.stringMatching(/^env:[0-9a-f]{8}$/),
    });
    expect(await read()).toEqual(body);
    await change({ thresholds: { swap: { raise: 70, clear: 60, samples: 1 } } });
    expect((await read()).thresholds['swap']).toEqual({ raise: 70, clear: 60, samples: 1 });
    expect((await read()).interval_seconds).toBe(15);
  });

  it.each<[unknown, string, string, RegExp]>([
    [{}, 'VALIDATION_FAILED', '$', /at least one/],
    [{ thresholds: {} }, 'VALIDATION_FAILED', '$', /at least one/],
    [[], 'BODY_INVALID', '$', /object/],
    [null, 'BODY_INVALID', '$', /object/],
    [{ interval_seconds: 0 }, 'VALIDATION_FAILED', 'interval_seconds', /from 1 to 3600/],
    [{ interval_seconds: 3_601 }, 'VALIDATION_FAILED', 'interval_seconds', /from 1 to 3600/],
    [{ interval_seconds: '30' }, 'VALIDATION_FAILED', 'interval_seconds', /from 1 to 3600/],
    [{ interval_seconds: null }, 'VALIDATION_FAILED', 'interval_seconds', /from 1 to 3600/],
    [{ interval_seconds: 1.5 }, 'VALIDATION_FAILED', 'interval_seconds', /from 1 to 3600/],
    [{ retention_days: 91 }, 'VALIDATION_FAILED', 'retention_days', /from 1 to 90/],
    [{ interval: 5 }, 'UNKNOWN_FIELD', 'interval', /not a field/],
    [{ thresholds: [] }, 'VALIDATION_FAILED', 'thresholds', /object/],
    [{ thresholds: { gpu: null } }, 'UNKNOWN_FIELD', 'thresholds.gpu', /not a field/],
    [{ thresholds: { cpu: 90 } }, 'VALIDATION_FAILED', 'thresholds.cpu', /object/],
    [{ thresholds: { cpu: [] } }, 'VALIDATION_FAILED', 'thresholds.cpu', /object/],
    [{ thresholds: { cpu: {} } }, 'VALIDATION_FAILED', 'thresholds.cpu.raise', /from 0 to 100/],
    [{ thresholds: { cpu: { raise: 101, clear: 1, samples: 1 } } }, 'VALIDATION_FAILED', 'thresholds.cpu.raise', /from 0 to 100/],
    [{ thresholds: { load: { raise: 1_001, clear: 1, samples: 1 } } }, 'VALIDATION_FAILED', 'thresholds.load.raise', /from 0 to 1000/],
    [{ thresholds: { disk: { raise: 90, clear: -1, samples: 1 } } }, 'VALIDATION_FAILED', 'thresholds.disk.clear', /from 0 to 100/],
    [{ thresholds: { disk: { raise: 90, clear: 80, samples: 0 } } }, 'VALIDATION_FAILED', 'thresholds.disk.samples', /from 1 to 100/],
    [{ thresholds: { disk: { raise: 90, clear: 80, samples: 101 } } }, 'VALIDATION_FAILED', 'thresholds.disk.samples', /from 1 to 100/],
    [{ thresholds: { memory: { raise: 80, clear: 80, samples: 1 } } }, 'VALIDATION_FAILED', 'thresholds.memory.clear', /below thresholds.memory.raise \(80\)/],
    [{ interval_seconds: 1, retention_days: 90 }, 'VALIDATION_FAILED', 'retention_days', /7776000 rows .* 1000000/],
  ])('refuses %j with %s, naming %s and the limit, and asks neither cache nor database', async (body, code, path, limit) => {
    const before = await countsOf(app);
    const problem = expectProblem(await app.post(config, JSON.stringify(body), admin), 400, code);
    expect(problem.errors).toContainEqual(expect.objectContaining({ path, message: expect.stringMatching(limit) }));
    expect(await countsOf(app)).toEqual(before);
  }); // prettier-ignore

  it('refuses what contradicts what is set, and stays as it was', async () => {
    await change({ interval_seconds: 1, retention_days: 7 });
    const before = await read();
    const problem = expectProblem(await change({ retention_days: 90 }), 400, 'VALIDATION_FAILED');
    const message = expect.stringMatching(/7776000 rows .* 1000000/) as string;
    expect(problem.errors).toEqual([{ path: 'retention_days', code: 'CONTRADICTION', message }]);
    expect(await read()).toEqual(before);
  });

  it('is changed by administrators with the scope alone', async () => {
    expectProblem(await app.post(config, { interval_seconds: 5 }), 401, 'AUTH_REQUIRED');
    expectProblem(await app.post(config, { interval_seconds: 5 }, { 'X-API-Key': 'x' }), 401, 'AUTH_INVALID');
    const made = await app.post<{ key: string }>(
      '/api/v1/admin/keys',
      { name: 'agents only', scopes: ['agents:write'] },
      admin,
    );
    const others = { 'X-API-Key': made.body.key };
    expectProblem(await app.post(config, { interval_seconds: 5 }, others), 403, 'FORBIDDEN_SCOPE');
    expectProblem(await app.post(`${alerts}/1/acknowledge`, undefined, others), 403, 'FORBIDDEN_SCOPE');
    expectProblem(await app.delete(config, admin), 405, 'METHOD_NOT_ALLOWED');
    expectProblem(await app.post(config, 'interval=5', { ...admin, 'Content-Type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE'); // prettier-ignore
  });
});

describe('the alerts', () => {
  let postgres: PostgresServer;
  let url: string;
  let app: Application;
  const list = async (query = ''): Promise<AlertList> => (await app.get<AlertList>(alerts + query)).body;
  const acknowledge = (id: unknown) =>
    app.post<Alert>(`${alerts}/${String(id)}/acknowledge`, undefined, admin);
  const ids = ({ alerts: page }: AlertList): number[] => page.map(({ id }) => id);

  beforeAll(async () => {
    postgres = await PostgresServer.start();
    url = await postgres.createDatabase('alerts');
    app = await Application.start({ ADMIN_API_KEYS: key, DATABASE_URL: url });
    await postgres.query(
      `INSERT INTO hardware_alerts (host, resource, raised_at, raised_value, raise_threshold, clear_threshold, samples, cleared_at, cleared_value)
       SELECT host, resource, '2026-01-01T00:00:00Z', 93.125, 90, 85, samples, cleared, CASE WHEN cleared IS NOT NULL THEN 12 END
       FROM (VALUES ('a', 'cpu', 1, '2026-01-01T01:00:00Z'::timestamptz), ('a', 'cpu', 4, NULL), ('a', 'disk', 4, NULL), ('b', 'cpu', 4, NULL), ('b', 'load', 4, '2026-01-02')) AS v (host, resource, samples, cleared)`,
      [],
      url,
    );
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await postgres.stop();
  });

  it('are listed with the latest first, from the cache the second time, for 10 s and never stale', async () => {
    const first = await app.get<AlertList>(alerts);
    expect(first.body).toMatchObject({ count: 5, next_before: null });
    expect(first.body.alerts.at(-1)).toEqual({
      id: 1,
      host: 'a',
      resource: 'cpu',
      state: 'cleared',
      message: 'CPU use was 93.13 %, at or above 90 % for 1 sample.',
      raised_at: '2026-01-01T00:00:00.000Z',
      raised_value: 93.125,
      raise_threshold: 90,
      clear_threshold: 85,
      samples: 1,
      cleared_at: '2026-01-01T01:00:00.000Z',
      cleared_value: 12,
      acknowledged_at: null,
      acknowledged_by: null,
    });
    expect(first.headers.get('cache-control')).toBe('public, max-age=10');
    const before = await countsOf(app);
    const second = await app.get(alerts);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(second.body).toEqual(first.body);
    expect((await countsOf(app)).queries).toBe(before.queries);
  });

  it('can be asked for by state and host, and come in pages that hold each once', async () => {
    expect(ids(await list('?state=open'))).toEqual([4, 3, 2]);
    expect(ids(await list('?state=cleared'))).toEqual([5, 1]);
    expect(ids(await list('?host=b'))).toEqual([5, 4]);
    expect(ids(await list('?host=a&state=open'))).toEqual([3, 2]);
    expect(ids(await list('?host=nobody'))).toEqual([]);
    const first = await list('?limit=2');
    expect([ids(first), first.next_before]).toEqual([[5, 4], 4]);
    const second = await list('?limit=2&before=4');
    expect([ids(second), second.next_before]).toEqual([[3, 2], 2]);
    const third = await list('?limit=2&before=2');
    expect([ids(third), third.next_before]).toEqual([[1], null]);
  });

  it('are acknowledged once, by the first who does, and the next read sees it', async () => {
    expect((await list('?state=open')).alerts.at(-1)!.acknowledged_at).toBeNull();
    const { status, body } = await acknowledge(2);
    expect([status, body]).toMatchObject([
      200,
      { id: 2, state: 'open', acknowledged_at: expect.stringMatching(/Z$/), acknowledged_by: expect.stringMatching(/^env:/) },
    ]); // prettier-ignore
    expect((await list('?state=open')).alerts.at(-1)).toEqual(body);
    const made = await app.post<{ key: string }>('/api/v1/admin/keys', { name: 'other', scopes: ['hardware:write'] }, admin); // prettier-ignore
    const again = await app.post<Alert>(`${alerts}/2/acknowledge`, undefined, { 'X-API-Key': made.body.key });
    expect([again.status, again.body]).toEqual([200, body]);
  });

  it.each(['0', '-1', '1.5', '1e0', 'x', '9'.repeat(16), '%00', "1'--"])(
    'do not have one of the id %s, which the database is not asked for',
    async id => {
      // What was acknowledged before goes into the audit log behind its answer.
      await expectUntouched(
        async () => (await countsOf(app)).queries,
        async () => expectProblem(await acknowledge(id), 404, 'ALERT_NOT_FOUND'),
      );
    },
  );

  it('do not have one that is not there', async () => {
    expectProblem(await acknowledge(999), 404, 'ALERT_NOT_FOUND');
  });

  it('are in the audit log with who acknowledged them, and not who was refused', async () => {
    const { body } = await app.get<{ entries: Record<string, unknown>[] }>('/api/v1/cache/audit', admin);
    const acknowledged = body.entries.filter(({ action }) => action === 'alert_acknowledge');
    const target = { alert: '2', host: 'a', resource: 'cpu' };
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const entry of acknowledged) expect(entry).toMatchObject({ target, count: 1, result: 'applied' });
    expect(acknowledged.at(-1)!['who']).toMatch(/^env:/);
  });

  it('are acknowledged by administrators alone', async () => {
    expectProblem(await app.post(`${alerts}/3/acknowledge`), 401, 'AUTH_REQUIRED');
    expect((await list('?host=a&state=open')).alerts[0]!.acknowledged_at).toBeNull();
    expectProblem(await app.get(`${alerts}/3/acknowledge`), 405, 'METHOD_NOT_ALLOWED');
  });

  it.each([
    ['state=closed', 'VALIDATION_FAILED', 'state', /open, cleared/],
    ['state=', 'VALIDATION_FAILED', 'state', /open, cleared/],
    ['host=', 'VALIDATION_FAILED', 'host', /1 to 128/],
    [`host=${'a'.repeat(129)}`, 'VALIDATION_FAILED', 'host', /1 to 128/],
    ['host=a%0Ab', 'VALIDATION_FAILED', 'host', /1 to 128/],
    ['limit=0', 'VALIDATION_FAILED', 'limit', /from 1 to 200/],
    ['limit=201', 'VALIDATION_FAILED', 'limit', /from 1 to 200/],
    ['before=0', 'VALIDATION_FAILED', 'before', /from 1 to/],
    ['before=1e3', 'VALIDATION_FAILED', 'before', /from 1 to/],
    ['acknowledged=true', 'UNKNOWN_FIELD', 'acknowledged', /not a field/],
    ['limit=1&limit=2', 'QUERY_DUPLICATE', 'limit', /once/],
    ['host[]=a', 'QUERY_INVALID', 'host[]', /plain name/],
  ])(
    'refuses %s with %s, naming %s, asks no database and stores nothing',
    async (query, code, path, limit) => {
      const before = await countsOf(app);
      const problem = expectProblem(await app.get(`${alerts}?${query}`), 400, code);
      expect(problem.errors![0]).toMatchObject({ path, message: expect.stringMatching(limit) });
      const { queries, entries } = await countsOf(app);
      expect({ queries, entries }).toEqual({ queries: before.queries, entries: before.entries });
    },
  );

  it('are not told from memory while the database is away, and are back with it', async () => {
    await postgres.kill();
    expectProblem(await app.get(`${alerts}?limit=7`), 503, 'DATABASE_UNAVAILABLE');
    expectProblem(await acknowledge(3), 503, 'DATABASE_UNAVAILABLE');
    expectProblem(await app.post(config, { interval_seconds: 5 }, admin), 503, 'DATABASE_UNAVAILABLE');
    await postgres.up();
    expect((await list('?limit=7')).count).toBe(5);
    expect((await acknowledge(3)).status).toBe(200);
  });
});
