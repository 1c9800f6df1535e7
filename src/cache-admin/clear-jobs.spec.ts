import type { ClearProgress, TieredCache } from '../cache';
import { ClearJobs, maxJobsRunning } from './clear-jobs';

/** A cache whose clears end when they are told to, or when they are stopped. */
class SlowCache {
  readonly clears: { pattern: string; end(progress: ClearProgress): void; fail(error: Error): void }[] = [];

  clearMatching(
    pattern: string,
    { signal, onProgress }: { signal: AbortSignal; onProgress(progress: ClearProgress): void },
  ): Promise<ClearProgress> {
    return new Promise((resolve, reject) => {
      const so = { scanned: 500, matched: 3, removed: 3 };
      onProgress({ ...so, done: false });
      signal.addEventListener('abort', () => resolve({ ...so, done: false }));
      this.clears.push({ pattern, end: resolve, fail: reject });
    });
  }
}

describe('clears by pattern in the background', () => {
  let cache: SlowCache;
  let jobs: ClearJobs;
  const done = { scanned: 1_000, matched: 7, removed: 7, done: true };
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  beforeEach(() => {
    cache = new SlowCache();
    jobs = new ClearJobs(cache as unknown as TieredCache);
  });
  afterEach(() => jobs.onModuleDestroy());

  test('B32: the same pattern again joins the clear under way; another one, or a dry run, is one of its own', async () => {
    const first = jobs.start('a*', false)!;
    expect(jobs.start('a*', false)).toBe(first);
    expect(jobs.start('a*', true)).not.toBe(first);
    expect(jobs.start('b*', false)).not.toBe(first);
    expect(cache.clears.map(clear => clear.pattern)).toEqual(['a*', 'a*', 'b*']);
    cache.clears[0]!.end(done);
    await settled();
    expect(jobs.start('a*', false)).not.toBe(first);
  });

  test('B32: tells how far it is, and how it ended', async () => {
    const job = jobs.start('a*', false)!;
    expect(jobs.find(job.id)).toMatchObject({ status: 'running', progress: { removed: 3 }, endedAt: null });
    cache.clears[0]!.end(done);
    await settled();
    expect(jobs.find(job.id)).toMatchObject({ status: 'done', progress: done });
    expect(job.endedAt).not.toBeNull();
    expect(jobs.find('unknown')).toBeUndefined();
  });

  test('B32: can be cancelled; what it has removed stays removed, and can be told', async () => {
    const job = jobs.start('a*', false)!;
    await jobs.cancel(job);
    expect(job).toMatchObject({ status: 'cancelled', progress: { removed: 3, done: false } });
    await jobs.cancel(job);
    expect(job.status).toBe('cancelled');
  });

  test('one that fails says so, and the next one is not joined to it', async () => {
    const job = jobs.start('a*', false)!;
    cache.clears[0]!.fail(new Error('the shared tier is away'));
    await settled();
    expect(job.status).toBe('failed');
    expect(jobs.start('a*', false)).not.toBe(job);
  });

  test('only so many run at once', async () => {
    for (let n = 0; n < maxJobsRunning; n += 1) expect(jobs.start(`${n}*`, false)).toBeDefined();
    expect(jobs.start('more*', false)).toBeUndefined();
    cache.clears[0]!.end(done);
    await settled();
    expect(jobs.start('more*', false)).toBeDefined();
  });

  test('those under way end with the application', async () => {
    const job = jobs.start('a*', false)!;
    await jobs.onModuleDestroy();
    expect(job.status).toBe('cancelled');
  });
});
