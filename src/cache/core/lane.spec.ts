import { Lane } from './lane';

/** A task that is held until it is released. */
class Held {
  began = false;
  release!: () => void;
  readonly run = (): Promise<void> => {
    this.began = true;
    return new Promise(resolve => (this.release = resolve));
  };
}

describe('a lane', () => {
  test('runs so many at once, the others in the order in which they came', async () => {
    const lane = new Lane(2);
    const tasks = [new Held(), new Held(), new Held(), new Held()];
    const all = tasks.map(task => lane.run(task.run));
    await Promise.resolve();
    const begun = (): boolean[] => tasks.map(({ began }) => began);
    expect(begun()).toEqual([true, true, false, false]);
    tasks[1]!.release();
    await all[1];
    await Promise.resolve();
    expect(begun()).toEqual([true, true, true, false]);
    tasks[0]!.release();
    await all[0];
    await Promise.resolve();
    tasks[2]!.release();
    tasks[3]!.release();
    await Promise.all(all);
    expect(lane.running).toBe(0);
  });

  test('a task that fails leaves its place', async () => {
    const lane = new Lane(1);
    const failed = lane.run(() => Promise.reject(new Error('no')));
    const next = lane.run(() => Promise.resolve('next'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('next');
    expect(lane.running).toBe(0);
  });
});
