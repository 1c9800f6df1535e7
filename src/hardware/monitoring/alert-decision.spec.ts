import fc from 'fast-check';
import { decideAlert, isGone, type AlertDecision } from './alert-decision';
import type { Threshold } from './monitoring-config';

const threshold: Threshold = { raise: 90, clear: 80, samples: 3 };

/** Feeds samples one by one and notes what changed at which. */
function run(
  values: readonly (number | null)[],
  of: Threshold | null = threshold,
): [number, AlertDecision][] {
  const changes: [number, AlertDecision][] = [];
  let isOpen = false;
  values.forEach((_, at) => {
    const decision = decideAlert(isOpen, of, values.slice(0, at + 1).reverse());
    if (decision) changes.push([at, decision]);
    isOpen = decision === 'raise' || (isOpen && decision !== 'clear');
  });
  return changes;
}

describe('the decision about an alert', () => {
  it.each<[string, (number | null)[], [number, AlertDecision][]]>([
    ['is raised with the third sample in a row at or above', [90, 95, 90], [[2, 'raise']]],
    ['not by two', [95, 95], []],
    ['not by three with one below between them', [95, 95, 89.9, 95, 95], []],
    ['not by samples of which one is not known', [95, null, 95, 95], []],
    ['is raised once while it stays above', [95, 95, 95, 99, 99], [[2, 'raise']]],
    ['is cleared with the third in a row at or below', [95, 95, 95, 80, 70, 80], [[2, 'raise'], [5, 'clear']]],
    ['not between the two thresholds', [95, 95, 95, 85, 85, 85, 85], [[2, 'raise']]],
    ['not when a sample in between comes back up', [95, 95, 95, 70, 70, 81, 70, 70], [[2, 'raise']]],
    ['not by what is not known', [95, 95, 95, null, null, null], [[2, 'raise']]],
    ['can be raised again', [95, 95, 95, 1, 1, 1, 95, 95, 95], [[2, 'raise'], [5, 'clear'], [8, 'raise']]],
  ])('%s', (_, values, changes) => {
    expect(run(values)).toEqual(changes);
  }); // prettier-ignore

  it('clears what is not watched any more, and raises nothing there', () => {
    expect(decideAlert(true, null, [99, 99, 99])).toBe('clear');
    expect(decideAlert(false, null, [99, 99, 99])).toBeUndefined();
  });

  it.each<[string, boolean, (number | null)[], number, number]>([
    ['after ten minutes', true, Array<null>(21).fill(null), 30, 4],
    ['not one sample before', false, Array<null>(20).fill(null), 30, 4],
    ['not by a longer time before the last value', false, [...Array<null>(20).fill(null), 5, null, null], 30, 4],
    ['not by fewer samples than clearing takes', false, [null, null, null], 3_600, 4],
    ['with the last of them', true, [null, null, null, null], 3_600, 4],
    ['not without samples', false, [], 30, 4],
  ])('is undone by a resource that is gone, %s: %s', (_, gone, values, every, samples) => {
    expect(isGone(values.map((value, at) => ({ tick: 1_000_000 - every * at, value })), samples)).toBe(gone);
  }); // prettier-ignore

  it('is not undone the sooner by samples that lay closer together before the interval was changed', () => {
    const recent = Array.from({ length: 300 }, (_, at) => ({ tick: 1_000_000 - at, value: null }));
    expect(isGone(recent, 4)).toBe(false);
  });

  const anyThreshold = fc
    .record({
      raise: fc.double({ min: 1, max: 100, noNaN: true }),
      gap: fc.double({ min: 0.1, max: 50, noNaN: true }),
      samples: fc.integer({ min: 1, max: 6 }),
    })
    .map(({ raise, gap, samples }): Threshold => ({ raise, clear: raise - gap, samples }));

  it('never flaps: whatever wavers between the two thresholds changes nothing', () => {
    fc.assert(
      fc.property(
        anyThreshold,
        fc.boolean(),
        fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), { minLength: 6, maxLength: 40 }),
        (of, isOpen, shares) => {
          const values = shares
            .map(share => of.clear + share * (of.raise - of.clear))
            .filter(value => value > of.clear && value < of.raise);
          expect(decideAlert(isOpen, of, values)).toBeUndefined();
        },
      ),
    );
  });

  it('raises and clears by turns, each after so many samples past its threshold and with no other in between', () => {
    fc.assert(
      fc.property(
        anyThreshold,
        fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { freq: 10 }), { maxLength: 120 }),
        (of, values) => {
          const changes = run(values, of);
          changes.forEach(([at, decision], place) => {
            expect(decision).toBe(place % 2 === 0 ? 'raise' : 'clear');
            const window = values.slice(at - of.samples + 1, at + 1);
            expect(window).toHaveLength(of.samples);
            for (const value of window)
              expect(decision === 'raise' ? value! >= of.raise : value! <= of.clear && value !== null).toBe(
                true,
              );
            const before = changes[place - 1];
            if (before) expect(at - before[0]).toBeGreaterThanOrEqual(of.samples);
          });
        },
      ),
    );
  });
});
