import { Application } from './harness/application';
import { countsOf } from './harness/counts';
import { expectProblem } from './harness/problem';

const path = '/api/v1/hardware';

describe('the hardware', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start();
  });
  afterAll(() => app.stop());

  it.each([
    ['health', 30],
    ['status', 10],
    ['metrics', 10],
    ['metrics?include_network=false', 10],
    ['processes', 10],
    ['processes?sort_by=memory&limit=3', 10],
  ])('answers %s from the cache the second time, for %d s and never stale', async (route, seconds) => {
    const first = await app.get(`${path}/${route}`);
    expect(first.status).toBe(200);
    expect(first.headers.get('cache-control')).toBe(`public, max-age=${seconds}`);
    const second = await app.get(`${path}/${route}`);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(second.body).toEqual(first.body);
  });

  it('has a score with its reasons', async () => {
    const { body } = await app.get<{ score: number; status: string; reasons: { penalty: number }[] }>(
      `${path}/health`,
    );
    expect(body.score).toBe(Math.max(0, 100 - body.reasons.reduce((sum, { penalty }) => sum + penalty, 0)));
    expect(['healthy', 'warning', 'critical']).toContain(body.status);
  });

  it('gives the parts that are asked for, and no others', async () => {
    const all = await app.get(
      `${path}/metrics?include_processes=true&include_network=true&include_disk=true&include_gpu=true`,
    );
    expect(Object.keys(all.body)).toEqual([
      'timestamp',
      'hostname',
      'uptime_seconds',
      'cpu',
      'memory',
      'disk',
      'network',
      'gpu',
      'processes',
    ]);
    const none = await app.get(`${path}/metrics?include_network=false&include_disk=false`);
    expect(Object.keys(none.body)).toEqual(['timestamp', 'hostname', 'uptime_seconds', 'cpu', 'memory']);
  });

  it('lists processes in order and to the limit, without their command lines', async () => {
    type List = { processes: { pid: number; memory_bytes: number }[]; count: number; total: number };
    const { body } = await app.get<List>(`${path}/processes?sort_by=memory&limit=5&min_memory_mb=0.5`);
    const sizes = body.processes.map(({ memory_bytes }) => memory_bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(524_288);
    expect(body.count).toBeLessThanOrEqual(5);
    expect(body.processes[0]).not.toHaveProperty('command');
    expect(body.processes[0]).not.toHaveProperty('params');
  });

  it.each([
    ['processes?limit=0', 'limit', /from 1 to 500/],
    ['processes?limit=501', 'limit', /from 1 to 500/],
    ['processes?limit=1e2', 'limit', /from 1 to 500/],
    ['processes?limit=', 'limit', /from 1 to 500/],
    ['processes?sort_by=size', 'sort_by', /cpu, memory, name, pid/],
    ['processes?min_cpu_percent=100.1', 'min_cpu_percent', /from 0 to 100/],
    ['processes?min_cpu_percent=-1', 'min_cpu_percent', /from 0 to 100/],
    ['processes?min_cpu_percent=NaN', 'min_cpu_percent', /from 0 to 100/],
    ['processes?min_memory_mb=x', 'min_memory_mb', /from 0 to 1048576/],
    ['processes?limit=1&limit=2', 'limit', /once/],
    ['processes?limit[]=1', 'limit[]', /plain name/],
    ['metrics?include_gpu=yes', 'include_gpu', /true or false/],
    ['metrics?include_disk=', 'include_disk', /true or false/],
    ['metrics?include_everything=true', 'include_everything', /not a field/],
  ])('refuses %s, naming %s and the limit', async (route, field, limit) => {
    const before = await countsOf(app);
    const { status, body } = await app.get<{ errors: { path: string; message: string }[] }>(
      `${path}/${route}`,
    );
    expect(status).toBe(400);
    expect(body.errors[0]).toMatchObject({ path: field, message: expect.stringMatching(limit) });
    const { queries, entries } = await countsOf(app);
    expect({ queries, entries }).toEqual({ queries: before.queries, entries: before.entries });
  });

  it.each(['health', 'status', 'metrics', 'processes'])(
    'answers other methods of %s with 405',
    async route => {
      expectProblem(await app.post(`${path}/${route}`, {}), 405, 'METHOD_NOT_ALLOWED');
      expectProblem(await app.delete(`${path}/${route}`), 405, 'METHOD_NOT_ALLOWED');
    },
  );

  it('has nothing at other paths', async () => {
    expectProblem(await app.get(`${path}/temperature`), 404, 'NOT_FOUND');
    expectProblem(await app.get(path), 404, 'NOT_FOUND');
  });

  it.each(['health', 'status', 'metrics', 'processes'])('asks no database for %s', async route => {
    const { queries } = await countsOf(app);
    expect((await app.get(`${path}/${route}`)).status).toBe(200);
    expect((await countsOf(app)).queries).toBe(queries);
  });

  it('says so when the program that lists processes is missing', async () => {
    const bare = await Application.start({ PATH: '/nonexistent' });
    expectProblem(await bare.get(`${path}/processes`), 503, 'PROCESSES_UNREADABLE');
    expect((await bare.get(`${path}/metrics?include_processes=true`)).body['processes']).toBeNull();
    await bare.stop();
  });

  it('is forgotten by its tag', async () => {
    await app.get(`${path}/status`);
    await app.post('/api/v1/cache/invalidate', ['hardware']);
    expect((await app.get(`${path}/status`)).headers.get('cache-status')).toContain('fwd=');
  });
});
