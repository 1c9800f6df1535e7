import fc from 'fast-check';
import { SpaceSaving } from './space-saving';

describe('SpaceSaving', () => {
  it('counts exactly what it has room for', () => {
    const counts = new SpaceSaving(2);
    counts.add('a', 1);
    counts.add('b', 2);
    counts.add('a', 3);
    expect([counts.entries(), counts.size, counts.has('b'), counts.has('c')]).toEqual([
      [['a', 4], ['b', 2]], // prettier-ignore
      2,
      true,
      false,
    ]);
  });

  it('gives the place of the rarest to a new one, with its count', () => {
    const counts = new SpaceSaving(2);
    counts.add('a', 5);
    counts.add('b', 2);
    counts.add('c', 1);
    expect(new Map(counts.entries())).toEqual(new Map([['a', 5], ['c', 3]])); // prettier-ignore
  });

  // Lemma 3 and theorem 2 of the paper.
  it('never counts too low, too high by no more than the total over the room, and keeps whatever is frequent', () => {
    const stream = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 12 }), (members, capacity) => {
        const counts = new SpaceSaving(capacity);
        const exact = new Map<string, number>();
        for (const member of members.map(String)) {
          counts.add(member, 1);
          exact.set(member, (exact.get(member) ?? 0) + 1);
        }
        const slack = members.length / capacity;
        expect(counts.size).toBeLessThanOrEqual(capacity);
        for (const [member, count] of counts.entries()) {
          expect(count).toBeGreaterThanOrEqual(exact.get(member)!);
          expect(count - exact.get(member)!).toBeLessThanOrEqual(slack);
        }
        for (const [member, count] of exact) if (count > slack) expect(counts.has(member)).toBe(true);
      }),
    );
  });

  it('halves what was long ago, and forgets what is rarer than twice', () => {
    const counts = new SpaceSaving(3);
    counts.add('a', 8);
    counts.add('b', 1);
    counts.halve();
    expect(counts.entries()).toEqual([['a', 4]]);
    counts.clear();
    expect(counts.size).toBe(0);
  });
});
