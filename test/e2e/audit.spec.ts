import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application } from './harness/application';
import { eventually } from './harness/eventually';
import { expectProblem } from './harness/problem';

interface Entry {
  id: number;
  at: string;
  who: string;
  action: string;
  target: Record<string, unknown>;
  count: number | null;
  result: string;
  job_id: string | null;
  request_id: string | null;
}
interface Page {
  entries: Entry[];
  next_before: number | null;
}

describe('the audit log', () => {
  let app: Application;
  const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-audit-'));
  const page = async (query = ''): Promise<Page> => (await app.get<Page>(`/api/v1/cache/audit${query}`)).body;
  const latest = async (): Promise<Entry | undefined> => (await page('?limit=1')).entries[0];
  const start = (): Promise<Application> =>
    Application.start({ DATA_DIR: dataDir, ADMIN_AUDIT_MAX_ROWS: '100' });
  beforeAll(async () => {
    app = await start();
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('says who did what, how many, with which result, when and in which request', async () => {
    const before = Date.now();
    await app.post(
      '/api/v1/cache/invalidate',
      { tags: ['agents', 'models'], keys: ['a'] },
      { 'X-Request-Id': 'my-own.id' },
    );
    const entry = await latest();
    expect(entry).toEqual({
      id: expect.any(Number),
      at: expect.any(String),
      who: 'loopback',
      action: 'invalidate',
      target: { tags: ['agents', 'models'], keys: ['a'] },
      count: 3,
      result: 'applied',
      job_id: null,
      request_id: 'my-own.id',
    });
    expect(Date.parse(entry!.at)).toBeGreaterThanOrEqual(before - 1_000);
  });

  it('has an entry for each thing that changes something, the latest first, and none for what was refused', async () => {
    const first = (await latest())?.id ?? 0;
    await app.post('/api/v1/cache/warm', { categories: ['settings'] });
    await app.post('/api/v1/cache/clear?confirm=true');
    const clear = await app.post<{ job_id: string }>('/api/v1/cache/clear?pattern=agents*');
    await eventually(async () =>
      expect(await latest()).toMatchObject({ action: 'clear_pattern', result: 'done' }),
    );
    await app.delete(`/api/v1/cache/clear/${clear.body.job_id}`);
    const made = await app.post<{ id: string; key: string }>('/api/v1/admin/keys', {
      name: 'one',
      scopes: ['cache:read'],
    });
    await app.delete(`/api/v1/admin/keys/${made.body.id}`);
    await app.post('/api/v1/cache/invalidate', {});
    await app.post('/api/v1/cache/clear');
    await app.post('/api/v1/cache/warm', { categories: ['nonsense'] });
    await app.get('/api/v1/cache/audit');
    const { entries } = await page();
    const since = entries
      .filter(entry => entry.id > first)
      .map(({ action, target, result, job_id }) => [action, target, result, job_id]);
    const { job_id } = clear.body;
    expect(since).toEqual([
      ['key_revoke', { key_id: made.body.id, name: 'one' }, 'applied', null],
      ['key_create', { key_id: made.body.id, name: 'one', scopes: ['cache:read'] }, 'applied', null],
      ['clear_pattern', { pattern: 'agents*', dry_run: false }, 'done', job_id],
      ['clear_pattern', { pattern: 'agents*', dry_run: false }, 'job', job_id],
      ['clear_all', {}, 'applied', null],
      ['warm', { categories: ['settings'] }, 'done', expect.any(String)],
    ]);
    expect(JSON.stringify(entries)).not.toContain(made.body.key);
  });

  it('has those who began and cancelled tasks of the host and changed its monitoring', async () => {
    const first = (await latest())?.id ?? 0;
    const optimize = await app.post<{ id: string }>('/api/v1/hardware/optimize', { actions: ['memory'] });
    await eventually(async () =>
      expect(await latest()).toMatchObject({ action: 'optimize', result: 'done' }),
    );
    const benchmark = await app.post<{ id: string }>('/api/v1/hardware/benchmark', {
      parts: ['memory'],
      duration_ms: 30_000,
    });
    await app.post('/api/v1/hardware/optimize'); // refused: there is one under way
    await app.delete(`/api/v1/hardware/benchmark/${benchmark.body.id}`);
    await app.delete(`/api/v1/hardware/benchmark/${benchmark.body.id}`); // has ended
    await app.post('/api/v1/hardware/monitoring/config', { retention_days: 6, thresholds: { cpu: null } });
    await app.post('/api/v1/hardware/monitoring/config', {}); // refused
    const { entries } = await page();
    const begun = { parts: ['memory'], duration_ms: '30000' };
    const optimized = { actions: ['memory'], dry_run: true };
    expect(
      entries
        .filter(({ id }) => id > first)
        .map(({ action, target, result, job_id }) => [action, target, result, job_id]),
    ).toEqual([
      ['monitoring_change', { fields: ['retention_days', 'thresholds.cpu'] }, 'applied', null],
      ['benchmark', begun, 'cancelled', benchmark.body.id],
      ['task_cancel', { kind: 'benchmark' }, 'applied', benchmark.body.id],
      ['benchmark', begun, 'job', benchmark.body.id],
      ['optimize', optimized, 'done', optimize.body.id],
      ['optimize', optimized, 'job', optimize.body.id],
    ]);
  });

  it('knows a key of the database by its id', async () => {
    const made = await app.post<{ id: string; key: string }>('/api/v1/admin/keys', {
      name: 'two',
      scopes: ['cache:write'],
    });
    await app.post('/api/v1/cache/invalidate', ['agents'], { 'X-API-Key': made.body.key });
    expect(await latest()).toMatchObject({ who: `key:${made.body.id}`, target: { tags: ['agents'] } });
  });

  it('B43: holds of each name 64 escaped characters, and of a list twenty', async () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `${n}:${'é'.repeat(100)}`);
    await app.post('/api/v1/cache/invalidate', { keys });
    const entry = await latest();
    expect(entry?.count).toBe(1_000);
    const shown = entry?.target['keys'] as string[];
    expect(shown).toHaveLength(20);
    for (const name of shown) expect(name).toMatch(/^[\x20-\x7e]{1,64}$/);
  });

  it('comes in pages', async () => {
    for (let n = 0; n < 5; n += 1) await app.post('/api/v1/cache/invalidate', [`page-${n}`]);
    const first = await page('?limit=2');
    const second = await page(`?limit=2&before=${first.next_before}`);
    expect([...first.entries, ...second.entries].map(entry => entry.target)).toEqual(
      [4, 3, 2, 1].map(n => ({ tags: [`page-${n}`] })),
    );
    expect((await page('?limit=200')).next_before).toBeNull();
    for (const query of ['?limit=0', '?limit=201', '?limit=a', '?before=-1', '?before=1.5'])
      expectProblem(await app.get(`/api/v1/cache/audit${query}`), 400, 'VALIDATION_FAILED');
    expectProblem(await app.get('/api/v1/cache/audit?who=me'), 400, 'UNKNOWN_FIELD');
  });

  it('keeps as many rows as it is told, give or take a hundred, and these are the latest', async () => {
    for (let n = 0; n < 320; n += 40)
      await Promise.all(
        Array.from({ length: 40 }, (_, m) => app.post('/api/v1/cache/invalidate', [`many-${n + m}`])),
      );
    await app.post('/api/v1/cache/invalidate', ['the-last']);
    const all: Entry[] = [];
    for (let before: number | null | undefined; before !== null;) {
      const next: Page = await page(`?limit=200${before === undefined ? '' : `&before=${before}`}`);
      all.push(...next.entries);
      before = next.next_before;
    }
    expect(all.length).toBeGreaterThanOrEqual(100);
    expect(all.length).toBeLessThanOrEqual(200);
    expect(all[0]?.target).toEqual({ tags: ['the-last'] });
  }, 60_000);

  it('loses nothing when the application is stopped right after', async () => {
    await app.post('/api/v1/cache/invalidate', ['before-the-end']);
    await app.stop();
    app = await start();
    expect(await latest()).toMatchObject({ target: { tags: ['before-the-end'] } });
  }, 60_000);
});
