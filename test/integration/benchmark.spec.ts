import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchmarkOptions,
  benchmarkParts,
  runBenchmark,
} from '../../src/hardware/tasks/benchmark/benchmark';
import { ProgramStarter } from '../../src/hardware/programs/program-starter';
import { runInThreads, type ThreadProgram } from '../../src/hardware/tasks/benchmark/threads';

const mebibyte = 1_048_576;
const starter = new ProgramStarter();
afterAll(() => starter.onApplicationShutdown());
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'benchmark-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = (more: Partial<BenchmarkOptions> = {}): BenchmarkOptions => ({
  parts: benchmarkParts,
  durationMs: 200,
  disk: { folder, maxBytes: 8 * mebibyte },
  id: 'test',
  ...more,
});
const context = (
  signal = new AbortController().signal,
  progress: (share: number) => void = () => undefined,
) => ({
  signal,
  progress,
  keep: () => undefined,
});

describe('a benchmark', () => {
  it('measures each part, and its progress rises to 1', async () => {
    const shares: number[] = [];
    const { cpu, memory, disk } = await runBenchmark(
      starter,
      options(),
      context(undefined, share => shares.push(share)),
    );
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.length).toBeGreaterThan(benchmarkParts.length);
    expect(shares.at(-1)).toBe(1);
    expect(cpu!.threads).toBe(os.availableParallelism());
    expect(cpu!.all_bytes_per_second).toBeGreaterThan(mebibyte);
    expect(memory!.copy_bytes_per_second).toBeGreaterThan(mebibyte);
    expect(disk!.file_bytes).toBeLessThanOrEqual(8 * mebibyte);
    expect(disk!.fsync.p95_ms).toBeLessThanOrEqual(disk!.fsync.max_ms);
  });

  it('leaves the event loop to requests: it goes on turning all the while', async () => {
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await runBenchmark(starter, options(), context());
    isOver = true;
    // What works on this thread lets it turn once a part, and once for each word of progress; idle, it turns thousands of times.
    expect(turns).toBeGreaterThan(500);
  });

  it('leaves the priority of the thread that answers requests as it is', async () => {
    const before = os.getPriority(0);
    await runBenchmark(starter, options({ parts: ['memory'] }), context());
    expect(os.getPriority(0)).toBe(before);
  });

  it.each(benchmarkParts)(
    'of %s ends within a second when it is told to, and leaves nothing behind',
    async part => {
      const stop = new AbortController();
      let toldAtMs = 0;
      const running = runBenchmark(
        starter,
        options({ parts: [part], durationMs: 30_000 }),
        context(stop.signal, () => {
          if (toldAtMs === 0) toldAtMs = performance.now();
          stop.abort('cancel');
        }),
      );
      await expect(running).rejects.toBe('cancel');
      expect(performance.now() - toldAtMs).toBeLessThan(1_000);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('of the disk has no name in the folder even while it is written, so that a killed process leaves none', async () => {
    const stop = new AbortController();
    const names = new Set<string>();
    const running = runBenchmark(
      starter,
      options({ parts: ['disk'], durationMs: 3_000 }),
      context(stop.signal, share => {
        for (const name of readdirSync(folder)) names.add(name);
        if (share > 0.3) stop.abort('cancel');
      }),
    );
    await expect(running).rejects.toBe('cancel');
    expect([...names]).toEqual([]);
  });

  it('of the disk clears away a name that an earlier one had no time to', async () => {
    writeFileSync(join(folder, 'sutazai-benchmark-dead.tmp'), '');
    utimesSync(join(folder, 'sutazai-benchmark-dead.tmp'), new Date(0), new Date(0));
    writeFileSync(join(folder, 'other.tmp'), '');
    await runBenchmark(starter, options({ parts: ['disk'] }), context());
    expect(readdirSync(folder)).toEqual(['other.tmp']);
  });

  it('of the disk makes its folder, and says when it cannot', async () => {
    const missing = join(folder, 'a', 'b');
    await runBenchmark(
      starter,
      options({ parts: ['disk'], disk: { folder: missing, maxBytes: mebibyte } }),
      context(),
    );
    expect(readdirSync(missing)).toEqual([]);
    writeFileSync(join(folder, 'file'), '');
    const inside = { folder: join(folder, 'file', 'x'), maxBytes: mebibyte };
    await expect(
      runBenchmark(starter, options({ parts: ['disk'], disk: inside }), context()),
    ).rejects.toThrow('The folder of the disk benchmark is no folder (ENOTDIR).');
    const tooLarge = { folder, maxBytes: 2 ** 52 };
    await expect(
      runBenchmark(starter, options({ parts: ['disk'], disk: tooLarge }), context()),
    ).rejects.toThrow('ENOSPC');
    expect(readdirSync(folder).sort()).toEqual(['a', 'file']);
  });
});

describe('a thread', () => {
  const { signal } = new AbortController();
  const run = { starter, signal, limitMs: 60_000 };

  it('tells what its program throws', async () => {
    const fail: ThreadProgram<null, never> = () => {
      throw Object.assign(new TypeError('wrong'), { code: 'EWRONG' });
    };
    await expect(runInThreads(fail, null, run)).rejects.toMatchObject({
      ...{ name: 'ThreadError', message: 'TypeError: wrong', code: 'EWRONG' },
    });
  });

  it.each([0, 3])('that ends with code %d and without a word is an error', async code => {
    const exit: ThreadProgram<{ code: number }, never> = (_tools, input) => process.exit(input.code);
    await expect(runInThreads(exit, { code }, run)).rejects.toThrow(`ended too early (code ${code})`);
  });

  it('that fails while the others wait for it ends them', async () => {
    const failOnce: ThreadProgram<{ flag: string }, null> = ({ fs, meet }, { flag }) => {
      fs.openSync(flag, 'wx');
      meet();
      return null;
    };
    const flag = join(folder, 'flag');
    await expect(runInThreads(failOnce, { flag }, { ...run, threads: 3 })).rejects.toMatchObject({
      code: 'EEXIST',
    });
  });

  it('begins when all are there, and what each returns is told', async () => {
    const meetAndLook: ThreadProgram<{ folder: string }, number> = ({ crypto, fs, path, meet }, input) => {
      fs.writeFileSync(path.join(input.folder, crypto.randomUUID()), '');
      meet();
      return fs.readdirSync(input.folder).length;
    };
    expect(await runInThreads(meetAndLook, { folder }, { ...run, threads: 4 })).toEqual([4, 4, 4, 4]);
  });

  it('that does not end in time fails, and is gone', async () => {
    const hang: ThreadProgram<null, never> = ({ tell }) => {
      for (tell(process.pid); ;);
    };
    let pid = 0;
    const onProgress = (told: number): void => void (pid = told);
    const limitMs = 1_500;
    await expect(runInThreads(hang, null, { ...run, limitMs, onProgress })).rejects.toThrow(
      'has not ended within 1500 ms',
    );
    if (pid !== 0) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is not begun under a signal that is aborted already', async () => {
    const start = jest.fn();
    const aborted = { starter: { start }, signal: AbortSignal.abort('no'), limitMs: 1 };
    await expect(runInThreads(() => 1, null, aborted)).rejects.toBe('no');
    expect(start).not.toHaveBeenCalled();
  });

  it('is of a process of its own, which comes after requests and is gone when its caller hears that it was stopped', async () => {
    const tellPid: ThreadProgram<null, never> = ({ tell }) => {
      for (tell(process.pid); ;);
    };
    const stop = new AbortController();
    let [pid, priority] = [process.pid, 0];
    const onProgress = (told: number): void => {
      [pid, priority] = [told, os.getPriority(told)];
      stop.abort('stop');
    };
    const outcome = runInThreads(tellPid, null, { ...run, signal: stop.signal, onProgress });
    await expect(outcome).rejects.toBe('stop');
    expect(pid).not.toBe(process.pid);
    expect(priority).toBe(os.constants.priority.PRIORITY_BELOW_NORMAL);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
