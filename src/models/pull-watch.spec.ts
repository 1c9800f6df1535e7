import type { PullProgress } from './pull-progress';
import { PullWatch } from './pull-watch';

const step = (status: string): PullProgress => ({ status, digest: null, total: null, completed: null });
const layer = (name: string, completed: number): PullProgress => ({
  ...{ status: `pulling ${name}`, digest: name, total: 10, completed },
});

const start = (): { watch: PullWatch; left: () => number } => {
  let left = 0;
  const watch = new PullWatch(() => (left += 1));
  return { watch, left: () => left };
};
const rest = async (watch: PullWatch): Promise<PullProgress[]> => {
  const all: PullProgress[] = [];
  for await (const progress of watch) all.push(progress);
  return all;
};

describe('who watches a pull', () => {
  it('and keeps up gets every line, in order', async () => {
    const { watch } = start();
    const lines = [step('pulling manifest'), layer('a', 1), layer('a', 2), step('success')];
    for (const line of lines) {
      const next = watch.next();
      watch.tell(line);
      expect((await next).value).toBe(line);
    }
  });

  it('and is slow gets each step and the latest of each layer', async () => {
    const { watch } = start();
    watch.tell(step('pulling manifest'));
    for (let at = 0; at <= 10; at += 1) for (const name of ['a', 'b']) watch.tell(layer(name, at));
    watch.tell(step('writing manifest'));
    expect(watch.waiting).toBe(4);
    watch.end();
    expect(await rest(watch)).toEqual([
      step('pulling manifest'),
      layer('a', 10),
      layer('b', 10),
      step('writing manifest'),
    ]);
  });

  it('is owed no more than 256 lines, the latest', async () => {
    const { watch } = start();
    for (let at = 0; at < 1_000; at += 1) watch.tell(step(`step ${at}`));
    watch.end();
    const lines = await rest(watch);
    expect([lines.length, lines[0]?.status]).toEqual([256, 'step 744']);
  });

  it('gets what waits after the end, and is forgotten then', async () => {
    const { watch, left } = start();
    watch.tell(step('one'));
    watch.end();
    watch.tell(step('late'));
    expect(left()).toBe(0);
    expect(await rest(watch)).toEqual([step('one')]);
    expect(left()).toBe(1);
  });

  it('and leaves while waiting waits no longer', async () => {
    const { watch, left } = start();
    const next = watch.next();
    await watch.return();
    expect([await next, left()]).toEqual([{ done: true, value: undefined }, expect.any(Number)]);
    expect(left()).toBeGreaterThan(0);
  });
});
