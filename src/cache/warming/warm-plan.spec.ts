import { DonePrefix, inOrder, WarmPlan } from './warm-plan';
import type { WarmJob, WarmUnit } from './warm-up.registry';

const job = (name: string, rest: Partial<WarmJob> = {}): WarmJob => ({
  name,
  categories: [],
  cron: undefined,
  critical: false,
  priority: 0,
  policies: [],
  units: () => Promise.resolve([]),
  ...rest,
});
const unit = (name: string, member: string | null = name): WarmUnit => ({
  name,
  member: member ?? undefined,
  run: () => Promise.resolve({ kind: 'warmed' }),
});
const plan = (...names: string[]): WarmPlan =>
  new WarmPlan(names.map(name => ({ job: job('j'), unit: unit(name) })));

describe('the plan of a run', () => {
  it('begins with critical jobs, then goes by priority, then by the order in which they were found', () => {
    const jobs = [
      job('a'),
      job('low', { priority: -1 }),
      job('high', { priority: 5 }),
      job('critical', { critical: true, priority: -9 }),
      job('b'),
    ];
    expect(inOrder(jobs).map(({ name }) => name)).toEqual(['critical', 'high', 'a', 'b', 'low']);
  });

  it('holds once what two jobs want, under the one that comes first', () => {
    const two = new WarmPlan([
      { job: job('one'), unit: unit('x') },
      { job: job('other'), unit: unit('another name', 'x') },
      { job: job('other'), unit: unit('unknown', null) },
      { job: job('other'), unit: unit('unknown', null) },
    ]);
    expect(two.units.map(({ job: { name }, unit: each }) => [name, each.name])).toEqual([
      ['one', 'x'],
      ['other', 'unknown'],
      ['other', 'unknown'],
    ]);
  });

  it('goes on where the same plan has come, and at the beginning of another one', () => {
    const progress = plan('x', 'y', 'z').progressAt(2);
    expect(plan('x', 'y', 'z').doneBefore(progress)).toBe(2);
    expect(plan('x', 'y', 'w').doneBefore(progress)).toBe(0);
    expect(plan('y', 'x', 'z').doneBefore(progress)).toBe(0);
  });

  it.each([
    undefined,
    '',
    'x',
    'x 1',
    `${plan('x').digest} -1`,
    `${plan('x').digest} 1.5`,
    `${plan('x').digest} many`,
  ])('takes nothing from a progress that is %j', progress => {
    expect(plan('x').doneBefore(progress)).toBe(0);
  });

  it('is never done beyond its end', () => {
    const one = plan('x');
    expect(one.doneBefore(`${one.digest} 7`)).toBe(1);
  });
});

describe('DonePrefix', () => {
  it('counts what is done without a gap', () => {
    const done = new DonePrefix(2);
    done.end(3);
    expect(done.count).toBe(2);
    done.end(2);
    expect(done.count).toBe(4);
    done.end(5);
    done.end(4);
    expect(done.count).toBe(6);
  });
});
