import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application } from './harness/application';
import { expectUntouched } from './harness/counts';
import { eventually } from './harness/eventually';
import { PostgresServer } from './harness/postgres-server';
import { expectProblem } from './harness/problem';
import { RedisServer } from './harness/redis-server';

interface Task {
  id: string;
  kind: string;
  status: string;
  host: string;
  progress: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  error: string | null;
  parameters: Record<string, unknown>;
}
interface Benchmark extends Task {
  result: {
    cpu?: { threads: number; single_bytes_per_second: number; all_bytes_per_second: number };
    memory?: { copy_bytes_per_second: number };
    disk?: {
      file_bytes: number;
      write_bytes_per_second: number;
      fsync: { count: number; p50_ms: number; max_ms: number };
    };
  } | null;
}
interface Optimization extends Task {
  result: {
    dry_run: boolean;
    memory?: { before: Record<string, number>; after: Record<string, number> | null; can_collect: boolean };
    files?: {
      folders: { folder: string; status: string; names_seen: number; too_young: number; not_files: number }[];
      matched: number;
      matched_bytes: number;
      removed: number;
      removed_bytes: number;
      is_complete: boolean;
      files: { path: string; bytes: number; outcome: string }[];
    };
  } | null;
}
interface Statistics {
  gets: number;
  sets: number;
  misses: number;
  outcomes: { bypass: number };
}
interface TaskList {
  tasks: (Task & { result?: unknown })[];
  count: number;
}

const benchmarks = '/api/v1/hardware/benchmark';
const optimizations = '/api/v1/hardware/optimize';
const nobody = '00000000-0000-4000-8000-000000000000';
/** The staleness bound Δ: a write is seen everywhere at most so much later. */
const boundMs = 2_000;

const isOver = ({ status }: Task): boolean => !['queued', 'running'].includes(status);
const pathOf = ({ kind, id }: Task): string => `/api/v1/hardware/${kind}/${id}`;
/** Waits for the end of a task, and answers with it. */
const endOf = async <T extends Task>(app: Application, task: Task, limitMs = 20_000): Promise<T> =>
  eventually(async () => {
    const { body } = await app.get<T>(pathOf(task));
    if (!isOver(body)) throw new Error(`still ${body.status} at ${body.progress}`);
    return body;
  }, limitMs);
const isRunning = (app: Application, task: Task, progress = 0): Promise<void> =>
  eventually(async () => {
    const { body } = await app.get<Task>(pathOf(task));
    expect(body.status).toBe('running');
    expect(body.progress).toBeGreaterThanOrEqual(progress);
  });

/** Without it nothing is ever removed from a folder. */
const marker = '.sutazai-clean-up';

/** A folder with old files in it, and beside it what must never be touched. */
function cleanupFolder(): { outer: string; folder: string } {
  const outer = mkdtempSync(join(tmpdir(), 'sutazai-clean-'));
  const folder = join(outer, 'clean');
  mkdirSync(join(folder, 'deep', 'deeper'), { recursive: true });
  mkdirSync(join(outer, 'precious'));
  writeFileSync(join(folder, marker), '');
  return { outer, folder };
}
function oldFile(path: string, bytes = 10): void {
  writeFileSync(path, 'x'.repeat(bytes));
  utimesSync(path, new Date(0), new Date(0));
}

describe('tasks on one instance', () => {
  let app: Application;
  const { outer, folder } = cleanupFolder();
  const missing = join(outer, 'missing');
  const link = join(outer, 'link');
  const benchmarkFolder = mkdtempSync(join(tmpdir(), 'sutazai-disk-'));
  beforeAll(async () => {
    app = await Application.start({
      HARDWARE_CLEANUP_FOLDERS: `${folder}, ${missing}, ${link}`,
      HARDWARE_CLEANUP_MIN_AGE_MS: '3600000',
      HARDWARE_CLEANUP_MAX_FILES: '4',
      HARDWARE_BENCHMARK_FOLDER: benchmarkFolder,
      HARDWARE_BENCHMARK_FILE_BYTES: '4194304',
      HARDWARE_HOST_ID: 'host-of-the-tasks',
      HARDWARE_TASKS_KEPT: '5',
    });
  });
  afterAll(async () => {
    await app.stop();
    for (const path of [outer, benchmarkFolder]) rmSync(path, { recursive: true, force: true });
  });

  const begin = async <T extends Task>(path: string, body?: unknown): Promise<T> => {
    const answer = await app.post<T>(path, body);
    expect(answer.status).toBe(202);
    return answer.body;
  };
  const optimize = async (body?: unknown): Promise<Optimization> =>
    endOf<Optimization>(app, await begin(optimizations, body));
  /** Everything that a request can touch: queries, reads and writes of the cache. */
  const touched = async (): Promise<unknown> => {
    const { text } = await app.get('/metrics');
    const { body } = await app.get<Statistics>('/api/v1/cache/stats');
    const queries = /^database_queries_total (\d+)$/m.exec(text)?.[1];
    return [queries, body.gets - body.outcomes.bypass, body.sets, body.misses];
  };

  describe('a benchmark', () => {
    it('is accepted with its path, goes on with progress that nobody keeps, and ends with measurements', async () => {
      const answer = await app.post<Benchmark>(benchmarks, { duration_ms: 500 });
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe(pathOf(answer.body));
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toMatchObject({
        kind: 'benchmark',
        host: 'host-of-the-tasks',
        status: 'queued',
        progress: 0,
        finished_at: null,
        result: null,
        error: null,
        parameters: { parts: ['cpu', 'memory', 'disk'], duration_ms: 500 },
      });
      const seen: number[] = [];
      await eventually(async () => {
        const { body, headers } = await app.get<Benchmark>(pathOf(answer.body));
        if (isOver(body)) return;
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('cache-status')).toBe('sutazai; fwd=uri-miss; detail=no-store');
        seen.push(body.progress);
        throw new Error('not over');
      });
      expect(new Set(seen).size).toBeGreaterThan(1);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      const { body } = await app.get<Benchmark>(pathOf(answer.body));
      expect(body).toMatchObject({ status: 'done', progress: 1, error: null });
      const { cpu, memory, disk } = body.result!;
      expect(cpu!.threads).toBeGreaterThan(0);
      for (const rate of [
        cpu!.single_bytes_per_second,
        cpu!.all_bytes_per_second,
        memory!.copy_bytes_per_second,
        disk!.write_bytes_per_second,
      ])
        expect(rate).toBeGreaterThan(1_000_000);
      expect(disk!.file_bytes).toBeLessThanOrEqual(4_194_304);
      expect(disk!.fsync.count).toBeGreaterThan(0);
      expect(disk!.fsync.max_ms).toBeGreaterThanOrEqual(disk!.fsync.p50_ms);
      expect(readdirSync(benchmarkFolder)).toEqual([]);
    });

    it('is kept for 300 s and never stale once it has ended: the second read comes from the cache', async () => {
      const task = await begin<Benchmark>(benchmarks, { parts: ['memory'], duration_ms: 100 });
      const end = await endOf<Benchmark>(app, task);
      // The end is there to be read a moment before it drops what was kept: that may be the first answer which shows it.
      const second = await eventually(async () => {
        const answer = await app.get<Benchmark>(pathOf(task));
        expect(answer.headers.get('cache-status')).toMatch(/^sutazai; hit/);
        return answer;
      });
      expect(second.headers.get('cache-control')).toBe('public, max-age=300');
      expect(second.body).toEqual(end);
      expect(Object.keys(end.result!)).toEqual(['memory']);
    });

    it('is forgotten by its tags', async () => {
      const task = await begin<Benchmark>(benchmarks, { parts: ['memory'], duration_ms: 100 });
      await endOf(app, task);
      for (const tag of [`task:${task.id}`, 'hardware:tasks', 'hardware', 'compute']) {
        await app.get(pathOf(task));
        await app.post('/api/v1/cache/invalidate', [tag]);
        expect((await app.get(pathOf(task))).headers.get('cache-status')).toContain('fwd=');
      }
    });

    it('is cancelled in the middle within a second, keeps what it had, and leaves nothing behind', async () => {
      const task = await begin<Benchmark>(benchmarks, { parts: ['disk'], duration_ms: 30_000 });
      await isRunning(app, task, 0.001);
      const beganAtMs = performance.now();
      const answer = await app.delete<Benchmark>(pathOf(task));
      expect(performance.now() - beganAtMs).toBeLessThan(1_000);
      expect([answer.status, answer.body.status, answer.body.error]).toEqual([200, 'cancelled', null]);
      expect(answer.body.progress).toBeLessThan(1);
      expect((await app.get<Benchmark>(pathOf(task))).body).toEqual(answer.body);
      expect(readdirSync(benchmarkFolder)).toEqual([]);
      // Again it stays what it is, and the next one may begin.
      expect((await app.delete<Benchmark>(pathOf(task))).body).toEqual(answer.body);
      await endOf(app, await begin(benchmarks, { parts: ['cpu'], duration_ms: 100 }));
    });

    it('fails with its reason when the folder cannot be used, and says nothing of the system', async () => {
      rmSync(benchmarkFolder, { recursive: true });
      writeFileSync(benchmarkFolder, 'a file');
      const end = await endOf<Benchmark>(app, await begin(benchmarks, { duration_ms: 100 }));
      rmSync(benchmarkFolder);
      mkdirSync(benchmarkFolder);
      expect(end).toMatchObject({
        status: 'failed',
        error: 'The folder of the disk benchmark is no folder (EEXIST).',
        result: { cpu: expect.anything(), memory: expect.anything() },
      });
      expect(end.result).not.toHaveProperty('disk');
    });
  });

  describe('an optimisation', () => {
    const names = (): string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => !entry.isDirectory() && entry.name !== marker)
        .map(({ name }) => name)
        .sort();

    it('is a dry run unless said otherwise: it tells what would be removed and removes nothing', async () => {
      oldFile(join(folder, 'old-1'), 100);
      oldFile(join(folder, 'deep', 'deeper', 'old-2'), 200);
      writeFileSync(join(folder, 'young'), 'x');
      const { status, result } = await optimize();
      expect(status).toBe('done');
      expect(result).toMatchObject({
        dry_run: true,
        memory: { before: { rss_bytes: expect.any(Number) }, after: null, can_collect: false },
        files: {
          matched: 2,
          matched_bytes: 300,
          removed: 0,
          removed_bytes: 0,
          is_complete: true,
          folders: [
            { folder, status: 'looked_at', too_young: 1 },
            { folder: missing, status: 'missing' },
            { folder: link, status: 'missing' },
          ],
        },
      });
      expect(result!.files!.files.map(({ path, outcome }) => [path, outcome]).sort()).toEqual([
        ['deep/deeper/old-2', 'would_be_removed'],
        ['old-1', 'would_be_removed'],
      ]);
      expect(names()).toEqual(['old-1', 'old-2', 'young']);
    });

    it('removes what is old when it is told to, and only that', async () => {
      oldFile(join(outer, 'precious', 'old'));
      const { result } = await optimize({ actions: ['files'], dry_run: false });
      expect(result).toMatchObject({ dry_run: false, files: { matched: 2, removed: 2, removed_bytes: 300 } });
      expect(result).not.toHaveProperty('memory');
      expect(names()).toEqual(['young']);
    });

    it('follows no symbolic link and leaves its folder by none', async () => {
      const precious = join(outer, 'precious');
      symlinkSync(precious, join(folder, 'way-out'));
      symlinkSync(join(precious, 'old'), join(folder, 'file-out'));
      symlinkSync('../..', join(folder, 'deep', 'up'));
      const { result } = await optimize({ actions: ['files'], dry_run: false });
      expect(result!.files).toMatchObject({ matched: 0, removed: 0 });
      expect(result!.files!.folders[0]).toMatchObject({ status: 'looked_at', not_files: 3 });
      expect(existsSync(join(precious, 'old'))).toBe(true);
    });

    it('looks at nothing in a folder where nobody has put the marker', async () => {
      oldFile(join(folder, 'old'));
      rmSync(join(folder, marker));
      const { result } = await optimize({ actions: ['files'], dry_run: false });
      writeFileSync(join(folder, marker), '');
      expect(result!.files).toMatchObject({ matched: 0, removed: 0 });
      expect(result!.files!.folders[0]).toMatchObject({ folder, status: 'unmarked', names_seen: 0 });
      expect(existsSync(join(folder, 'old'))).toBe(true);
      rmSync(join(folder, 'old'));
    });

    it('refuses a folder that leads to a forbidden one since the start', async () => {
      // A dry run: without the refusal that is tested here, anything else would empty the machine that runs the test.
      symlinkSync('/root', link);
      const { result } = await optimize({ actions: ['files'], dry_run: true });
      rmSync(link);
      expect(result!.files!.folders).toMatchObject([
        { status: 'looked_at' },
        { status: 'missing' },
        { folder: link, status: 'refused', names_seen: 0 },
      ]);
    });

    it('removes no more files in one run than it may, and says so', async () => {
      for (let index = 0; index < 6; index += 1) oldFile(join(folder, `many-${index}`));
      const first = await optimize({ actions: ['files'], dry_run: false });
      expect(first.result!.files).toMatchObject({ removed: 4, is_complete: false });
      const second = await optimize({ actions: ['files'], dry_run: false });
      expect(second.result!.files).toMatchObject({ removed: 2, is_complete: true });
    });

    it('of the memory alone measures before and after, and does not claim to have collected', async () => {
      const { result } = await optimize({ actions: ['memory'], dry_run: false });
      expect(result).toMatchObject({
        dry_run: false,
        memory: {
          before: { heap_used_bytes: expect.any(Number), cache_entries: expect.any(Number) },
          after: { heap_used_bytes: expect.any(Number) },
          can_collect: false,
          collected: false,
          pause_ms: null,
        },
      });
    });

    it('is in the list at once, with each change of its state, and the list is kept for 10 s', async () => {
      await app.get(optimizations);
      expect((await app.get(optimizations)).headers.get('cache-status')).toMatch(/^sutazai; hit/);
      const task = await begin<Optimization>(optimizations);
      expect((await app.get<TaskList>(optimizations)).body.tasks[0]!.id).toBe(task.id);
      const { result: _, ...end } = await endOf<Optimization>(app, task);
      const { body, headers } = await app.get<TaskList>(optimizations);
      expect(headers.get('cache-control')).toBe('public, max-age=10');
      expect(body.tasks[0]).toEqual(end);
      expect(body.count).toBe(body.tasks.length);
      expect((await app.get(pathOf(task))).headers.get('cache-control')).toBe('public, max-age=10');
    });

    it('is dropped when newer ones have taken its place among those that are kept', async () => {
      const benchmark = await endOf(app, await begin(benchmarks, { parts: ['memory'], duration_ms: 100 }));
      const first = await optimize({ actions: ['memory'] });
      const ids: string[] = [];
      for (let index = 0; index < 6; index += 1) ids.unshift((await optimize({ actions: ['memory'] })).id);
      await app.post('/api/v1/cache/invalidate', ['hardware:tasks']);
      expectProblem(await app.get(pathOf(first)), 404, 'TASK_NOT_FOUND');
      expect((await app.get<TaskList>(optimizations)).body.tasks.map(({ id }) => id)).toEqual(ids);
      expect((await app.get(pathOf(benchmark))).status).toBe(200); // as many of each kind
    });
  });

  describe('what is refused', () => {
    it('a second task, of either kind, while one is under way: 409 with the id and the path of the other', async () => {
      const task = await begin<Benchmark>(benchmarks, { parts: ['memory'], duration_ms: 30_000 });
      for (const path of [benchmarks, optimizations]) {
        const answer = await app.post(path);
        const { detail, errors } = expectProblem(answer, 409, 'TASK_RUNNING');
        expect(detail).toContain(task.id);
        expect(errors).toEqual([{ path: '$', code: 'TASK_RUNNING', message: task.id }]);
        expect(answer.headers.get('location')).toBe(pathOf(task));
      }
      await app.delete(pathOf(task));
    });

    it('a task of the other kind, one that there is not, and one whose id is none', async () => {
      const task = await optimize({ actions: ['memory'] });
      for (const path of [
        `${benchmarks}/${task.id}`,
        `${optimizations}/${nobody}`,
        `${benchmarks}/${nobody}`,
        ...['x', '%00', '..%2foptimize', nobody.toUpperCase() + 'A', `${nobody}x`].map(
          id => `${benchmarks}/${id}`,
        ),
      ]) {
        expectProblem(await app.get(path), 404, 'TASK_NOT_FOUND');
        expectProblem(await app.delete(path), 404, 'TASK_NOT_FOUND');
      }
    });

    const bodies: [path: string, body: unknown, code: string, where: string][] = [
      [benchmarks, { parts: [] }, 'VALIDATION_FAILED', 'parts'],
      [benchmarks, { parts: 'cpu' }, 'VALIDATION_FAILED', 'parts'],
      [benchmarks, { parts: ['gpu'] }, 'VALIDATION_FAILED', 'parts'],
      [benchmarks, { parts: ['cpu', 'cpu'] }, 'VALIDATION_FAILED', 'parts'],
      [benchmarks, { parts: null }, 'VALIDATION_FAILED', 'parts'],
      [benchmarks, { duration_ms: 99 }, 'VALIDATION_FAILED', 'duration_ms'],
      [benchmarks, { duration_ms: 30_001 }, 'VALIDATION_FAILED', 'duration_ms'],
      [benchmarks, { duration_ms: 500.5 }, 'VALIDATION_FAILED', 'duration_ms'],
      [benchmarks, { duration_ms: '500' }, 'VALIDATION_FAILED', 'duration_ms'],
      [benchmarks, { folder: '/etc' }, 'UNKNOWN_FIELD', 'folder'],
      [benchmarks, '[]', 'BODY_INVALID', '$'],
      [benchmarks, 'null', 'BODY_INVALID', '$'],
      [optimizations, { dry_run: 'false' }, 'VALIDATION_FAILED', 'dry_run'],
      [optimizations, { dry_run: 0 }, 'VALIDATION_FAILED', 'dry_run'],
      [optimizations, { dry_run: null }, 'VALIDATION_FAILED', 'dry_run'],
      [optimizations, { actions: [] }, 'VALIDATION_FAILED', 'actions'],
      [optimizations, { actions: ['disk'] }, 'VALIDATION_FAILED', 'actions'],
      [optimizations, { folders: ['/tmp/../etc'] }, 'UNKNOWN_FIELD', 'folders'],
      [optimizations, { path: '../../etc' }, 'UNKNOWN_FIELD', 'path'],
      [optimizations, '"all"', 'BODY_INVALID', '$'],
    ];
    it.each(bodies)('%s with %j: %s for %s', async (path, body, code, where) => {
      const { errors } = expectProblem(await app.post(path, body), 400, code);
      expect(errors?.map(item => item.path)).toContain(where);
    });

    it('touches neither the database nor the cache', async () => {
      await expectUntouched(touched, async () => {
        for (const [path, body] of bodies) await app.post(path, body);
        await app.post(benchmarks, '{', { 'Content-Type': 'application/json' });
        for (const id of ['x', '%00', `${nobody}x`]) {
          await app.get(`${benchmarks}/${id}`);
          await app.get(`${optimizations}/${id}`);
          await app.delete(`${optimizations}/${id}`);
        }
      });
    });

    it.each([
      ['PUT', benchmarks, 'POST'],
      ['GET', benchmarks, 'POST'],
      ['PATCH', optimizations, 'GET, HEAD, POST'],
      ['POST', `${benchmarks}/${nobody}`, 'GET, HEAD, DELETE'],
    ])('%s %s: 405, which allows %s', async (method, path, allow) => {
      const answer = await app.request(method, path);
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')!.split(', ').sort()).toEqual(allow.split(', ').sort());
    });

    it('a body of another type', async () => {
      expectProblem(
        await app.post(optimizations, 'dry_run=false', {
          'Content-Type': 'application/x-www-form-urlencoded',
        }),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      );
    });
  });
});

describe('who may begin and cancel tasks', () => {
  const admin = 'Kx7c2LqW9vB4nT1mZ8pR5sD3fG6hJ0yA';
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ ADMIN_API_KEYS: admin });
  });
  afterAll(() => app.stop());

  it.each([
    ['POST', benchmarks],
    ['DELETE', `${benchmarks}/${nobody}`],
    ['POST', optimizations],
    ['DELETE', `${optimizations}/${nobody}`],
  ])('%s %s asks for a key with hardware:write', async (method, path) => {
    expectProblem(await app.request(method, path), 401, 'AUTH_REQUIRED');
    const { body } = await app.post<{ key: string }>(
      '/api/v1/admin/keys',
      { name: 'reader', scopes: ['cache:read'] },
      { 'X-API-Key': admin },
    );
    const refused = await app.request(method, path, undefined, { 'X-API-Key': body.key });
    expectProblem(refused, 403, 'FORBIDDEN_SCOPE');
  });

  it('everybody may look at them', async () => {
    expect((await app.get(optimizations)).status).toBe(200);
    expectProblem(await app.get(`${benchmarks}/${nobody}`), 404, 'TASK_NOT_FOUND');
  });
});

describe('clean-up folders that nobody can mean', () => {
  it.each([
    ['/', 'the root'],
    ['/tmp', 'directly below'],
    ['/root/..', 'the root'],
    ['/usr/local/share', 'the system'],
    ['relative/path', 'absolute paths'],
    [process.cwd(), 'holds the application'],
  ])('%s stops the start', async (folder, reason) => {
    const app = await Application.spawn({ HARDWARE_CLEANUP_FOLDERS: folder });
    expect((await app.exited).code).toBe(1);
    expect(app.output).toContain('HARDWARE_CLEANUP_FOLDERS must');
    expect(app.output).toContain(reason);
    await app.stop();
  });
});

describe('tasks of two instances on one database and one Redis', () => {
  let redis: RedisServer;
  let postgres: PostgresServer;
  let url: string;
  let a: Application;
  let b: Application;
  const { outer, folder } = cleanupFolder();
  const start = (): Promise<Application> =>
    Application.start({
      REDIS_URL: redis.url,
      DATABASE_URL: url,
      HARDWARE_CLEANUP_FOLDERS: folder,
      HARDWARE_CLEANUP_MIN_AGE_MS: '0',
      HARDWARE_CLEANUP_MAX_FILES: '1000000',
    });
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    url = await postgres.createDatabase('tasks');
    [a, b] = await Promise.all([start(), start()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([a, b].map(app => app.stop()));
    await Promise.all([redis.stop(), postgres.stop()]);
    rmSync(outer, { recursive: true, force: true });
  });
  const long = { parts: ['memory'], duration_ms: 30_000 };
  const begin = async (app: Application): Promise<Benchmark> => {
    const { status, body } = await app.post<Benchmark>(benchmarks, long);
    expect(status).toBe(202);
    return body;
  };

  it('run one at a time also when both are asked at once, many times', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 ? a : b).post<Benchmark>(benchmarks, long)),
      );
      const [won, ...others] = answers.filter(({ status }) => status === 202);
      expect(others).toEqual([]);
      for (const answer of answers.filter(({ status }) => status !== 202)) {
        expectProblem(answer, 409, 'TASK_RUNNING');
        expect(answer.headers.get('location')).toBe(pathOf(won!.body));
      }
      expect((await a.delete<Task>(pathOf(won!.body))).body.status).toBe('cancelled');
    }
  });

  it('are seen by the other one while they run, and cancelled by it within a second', async () => {
    const task = await begin(a);
    await isRunning(b, task, 0.001);
    const beganAtMs = performance.now();
    const { status, body } = await b.delete<Benchmark>(pathOf(task));
    expect([status, body.status]).toEqual([200, 'cancelled']);
    expect(performance.now() - beganAtMs).toBeLessThan(1_500);
    expect((await a.get<Benchmark>(pathOf(task))).body).toEqual(body);
  });

  it('change the lists of both: at once here, there within the bound', async () => {
    const latest = async (app: Application): Promise<Task | undefined> =>
      (await app.get<TaskList>(optimizations)).body.tasks[0];
    await Promise.all([a, b].flatMap(app => [latest(app), latest(app)]));
    const { body: task } = await a.post<Optimization>(optimizations, { actions: ['memory'] });
    expect((await latest(a))!.id).toBe(task.id);
    await eventually(async () => expect((await latest(b))!.id).toBe(task.id), boundMs, 1);
    await endOf(a, task);
    await eventually(async () => expect((await latest(b))!.status).toBe('done'), boundMs, 1);
  });

  it('that removes files stops in the middle, and tells what it has removed', async () => {
    const count = 20_000;
    for (let index = 0; index < count; index += 1) writeFileSync(join(folder, `file-${index}`), 'x');
    const { body: task } = await a.post<Optimization>(optimizations, { actions: ['files'], dry_run: false });
    await eventually(() => expect(readdirSync(folder).length).toBeLessThan(count), 10_000, 1);
    const { body } = await a.delete<Optimization>(pathOf(task));
    expect(body.status).toBe('cancelled');
    const left = readdirSync(folder).filter(name => name.startsWith('file-')).length;
    expect(left).toBeGreaterThan(0);
    expect(body.result!.files).toMatchObject({ removed: count - left, removed_bytes: count - left });
  });

  it('whose process was killed is interrupted: seen by the other one, and the next may begin', async () => {
    const task = await begin(a);
    await isRunning(b, task);
    await a.stop('SIGKILL');
    const end = await endOf<Benchmark>(b, task);
    expect(end).toMatchObject({
      status: 'interrupted',
      error: 'The process that ran it has ended.',
      result: null,
    });
    // The read that found it interrupted has not stored what it saw; the next one does.
    await b.get(pathOf(task));
    expect((await b.get(pathOf(task))).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    const { body } = await b.post<Optimization>(optimizations, { actions: ['memory'] });
    expect((await endOf(b, body)).status).toBe('done');
    a = await start();
  });

  it('is cancelled when its instance stops, which waits for it', async () => {
    const task = await begin(a);
    await isRunning(b, task);
    expect(await a.stop()).toEqual({ code: 0, signal: null });
    expect((await b.get<Benchmark>(pathOf(task))).body).toMatchObject({
      status: 'cancelled',
      error: 'The instance that ran it was stopped.',
    });
    a = await start();
  });
});

describe('a task of an embedded database', () => {
  it('is interrupted as soon as the next process has started', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-tasks-'));
    const first = await Application.start({ DATA_DIR: dataDir, DATABASE_URL: undefined });
    const { body: task } = await first.post<Benchmark>(benchmarks, { parts: ['disk'], duration_ms: 30_000 });
    await isRunning(first, task);
    await first.stop('SIGKILL');
    expect(readdirSync(dataDir).filter(name => name.includes('benchmark'))).toEqual([]);
    const next = await Application.start({ DATA_DIR: dataDir, DATABASE_URL: undefined });
    expect((await next.get<Benchmark>(pathOf(task))).body.status).toBe('interrupted');
    expect((await next.post(benchmarks, { parts: ['memory'], duration_ms: 100 })).status).toBe(202);
    await next.stop();
    rmSync(dataDir, { recursive: true });
  }, 60_000);
});
