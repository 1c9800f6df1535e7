import { Application } from './harness/application';
import { expectProblem } from './harness/problem';

const number = expect.any(Number) as number;

describe('the application as a whole', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ DATABASE_URL: undefined });
  });
  afterAll(() => app.stop());

  it('says at / what it is and where to go, and every link leads somewhere', async () => {
    const { status, body, headers } = await app.get<{ links: Record<string, string> }>('/');
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      name: 'SutazAI backend',
      version: '2.0.0',
      status: 'running',
      environment: 'test',
      features: { shared_cache: 'off', database: 'embedded', models: 'none', cache_warming: false },
      links: expect.any(Object) as object,
    });
    for (const link of Object.values(body.links))
      expect([link, (await app.get(link)).status]).toEqual([link, 200]);
  });

  it('says its status in five fields, from the cache the second time', async () => {
    const path = '/api/v1/status';
    const first = await app.get(path);
    expect(Object.keys(first.body)).toEqual([
      'status',
      'cpu_percent',
      'memory_percent',
      'version',
      'uptime_seconds',
    ]);
    expect(first.body).toMatchObject({ status: 'healthy', version: '2.0.0', uptime_seconds: number });
    const second = await app.get(path);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=\d+/);
    expect(second.headers.get('cache-control')).toBe('public, max-age=10');
    expect(second.headers.get('age')).toMatch(/^\d+$/);
    expect(second.body).toEqual(first.body);
  });

  it('tells its numbers in the shape of the report, from the cache the second time', async () => {
    const path = '/api/v1/metrics';
    const first = await app.get<{
      system: { cpu: object; memory: object; disk: object[]; network: object[] };
      performance: Record<string, object>;
    }>(path);
    expect(Object.keys(first.body)).toEqual(['timestamp', 'system', 'performance']);
    const { system, performance } = first.body;
    expect(Object.keys(system)).toEqual(['cpu', 'memory', 'disk', 'network']);
    expect(system.cpu).toMatchObject({ count: number, per_core: expect.any(Array) as unknown[] });
    expect(system.memory).toMatchObject({ total_bytes: number, used_bytes: number, percent: number });
    expect(system.disk[0]).toMatchObject({ mount: expect.any(String) as string, total_bytes: number });
    expect(performance).toEqual({
      cache: {
        gets: number,
        hits: number,
        misses: number,
        hit_rate: number,
        user_visible_rate: number,
        rating: expect.stringMatching(/^(excellent|good|poor|insufficient_data)$/) as string,
        l1_entries: number,
        l1_bytes: number,
        evictions: number,
        loads: number,
        load_ms: number,
        load_ms_saved: number,
        redis_status: 'off',
      },
      database: { mode: 'embedded', queries: number },
      process: { uptime_seconds: number, memory_bytes: number, heap_used_bytes: number },
    });
    const second = await app.get(path);
    expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=\d+/);
    expect(second.body).toEqual(first.body);
  });

  it.each(['/', '/api/v1/status', '/api/v1/metrics'])('%s is read and nothing else', async path => {
    expectProblem(await app.post(path, {}), 405, 'METHOD_NOT_ALLOWED');
  });
});
