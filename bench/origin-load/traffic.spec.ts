import { classes, sum } from '../hit-rate/workload';
import { agentId, keyOfAgent, targetOf, traffic } from './traffic';

describe('the traffic', () => {
  const seconds = 200;

  it.each([1, 0.25])('has the proportions of its classes at a share of %d of their rate', share => {
    const plan = traffic(3, seconds, share, false);
    for (const { name, readsPerSecond } of classes) {
      const reads = plan.filter(({ of, kind }) => of === name && kind === 'read').length;
      const expected = readsPerSecond * share * seconds;
      // Five standard deviations of Poisson.
      expect(Math.abs(reads - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    expect(plan.at(-1)!.at).toBeLessThan(seconds);
  });

  it('is the same for the same seed, in the order of time, and has heartbeats where there is a route for them', () => {
    expect(traffic(1, 5, 1, true)).toEqual(traffic(1, 5, 1, true));
    expect(traffic(1, 5, 1, false)).not.toEqual(traffic(2, 5, 1, false));
    const plan = traffic(1, 60, 1, true);
    expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).sort((a, b) => a - b));
    const beats = (all: typeof plan): number => all.filter(({ of }) => of === 'heartbeat').length;
    expect([beats(plan) > 20, beats(traffic(1, 60, 1, false))]).toEqual([true, 0]);
  });

  it('asks for a real route with each rank', () => {
    for (const { name, keys } of classes)
      for (const key of [0, 1, keys - 1]) {
        const { route, path } = targetOf(name as Parameters<typeof targetOf>[0], key);
        expect([route, path]).toEqual([expect.stringMatching(/^GET \//), expect.stringMatching(/^\//)]);
      }
    const pages = new Set(Array.from({ length: 70 }, (_, key) => targetOf('agents', key).path));
    expect([pages.size, keyOfAgent(agentId(123))]).toEqual([70, 123]);
    expect(sum(classes.map(({ readsPerSecond }) => readsPerSecond))).toBe(200);
  });
});
