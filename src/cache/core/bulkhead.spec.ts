import { FakeClock, settled } from '../../../test/fakes/fake-clock';
import { Bulkhead } from './bulkhead';
import { CacheOverloadError } from './errors';

class Tasks {
  readonly started: number[] = [];
  readonly #release: (() => void)[] = [];

  task(n: number): () => Promise<number> {
    return () => {
      this.started.push(n);
      return new Promise(resolve => (this.#release[n] = () => resolve(n)));
    };
  }

  release(n: number): void {
    this.#release[n]!();
  }
}

describe('the bulkhead', () => {
  test('runs so many at once, and the others in the order in which they came', async () => {
    const bulkhead = new Bulkhead(new FakeClock(), 'p', 2);
    const tasks = new Tasks();
    const all = [0, 1, 2, 3].map(n => bulkhead.run(tasks.task(n), 1_000));
    expect([tasks.started, bulkhead.running, bulkhead.waiting]).toEqual([[0, 1], 2, 2]);
    tasks.release(1);
    await settled();
    expect([tasks.started, bulkhead.running, bulkhead.waiting]).toEqual([[0, 1, 2], 2, 1]);
    tasks.release(0);
    await settled();
    for (const n of [2, 3]) tasks.release(n);
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
    expect([bulkhead.running, bulkhead.waiting]).toEqual([0, 0]);
  });

  test('lets four wait for each that runs, and refuses the next at once', async () => {
    const bulkhead = new Bulkhead(new FakeClock(), 'api', 1);
    const tasks = new Tasks();
    const all = [0, 1, 2, 3, 4].map(n => bulkhead.run(tasks.task(n), 1_000));
    await expect(bulkhead.run(tasks.task(5), 1_000)).rejects.toThrow(CacheOverloadError);
    await expect(bulkhead.run(tasks.task(5), 1_000)).rejects.toThrow('policy api already runs 1 loads');
    for (const n of [0, 1, 2, 3, 4]) {
      await settled();
      tasks.release(n);
    }
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
    await expect(bulkhead.run(() => Promise.resolve('again'), 1_000)).resolves.toBe('again');
  });

  test('a task that fails, or throws at once, leaves its place to the next', async () => {
    const bulkhead = new Bulkhead(new FakeClock(), 'p', 1);
    const failing = bulkhead.run(() => Promise.reject(new Error('later')), 1_000);
    const throwing = bulkhead.run(() => {
      throw new Error('at once');
    }, 1_000);
    const last = bulkhead.run(() => Promise.resolve('ran'), 1_000);
    await expect(failing).rejects.toThrow('later');
    await expect(throwing).rejects.toThrow('at once');
    expect(await last).toBe('ran');
    expect(bulkhead.running).toBe(0);
  });

  test('never runs more at once than it may, also when one comes while a place changes hands', async () => {
    const bulkhead = new Bulkhead(new FakeClock(), 'p', 1);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      most = Math.max(most, (running += 1));
      await Promise.resolve();
      running -= 1;
    };
    const first = bulkhead.run(task, 1_000);
    const queued = bulkhead.run(task, 1_000);
    const newcomer = first.then(() => bulkhead.run(task, 1_000));
    await Promise.all([first, queued, newcomer]);
    expect(most).toBe(1);
  });

  test('who has waited long enough for a place is refused, and takes none from the next', async () => {
    const clock = new FakeClock();
    const bulkhead = new Bulkhead(clock, 'p', 1);
    const tasks = new Tasks();
    const running = bulkhead.run(tasks.task(0), 1_000);
    const impatient = bulkhead.run(tasks.task(1), 500);
    const patient = bulkhead.run(tasks.task(2), 1_000);
    const refused = impatient.catch((error: unknown) => error);
    await clock.advance(500);
    expect(await refused).toBeInstanceOf(CacheOverloadError);
    expect([bulkhead.running, bulkhead.waiting]).toEqual([1, 1]);
    tasks.release(0);
    await settled();
    expect(tasks.started).toEqual([0, 2]);
    tasks.release(2);
    expect(await Promise.all([running, patient])).toEqual([0, 2]);
    expect([bulkhead.running, bulkhead.waiting, clock.pending]).toEqual([0, 0, 0]);
  });
});
