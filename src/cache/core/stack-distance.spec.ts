import fc from 'fast-check';
import { StackDistance, type Stacked } from './stack-distance';

describe('StackDistance', () => {
  it('counts the others accessed since, as a list would', () => {
    const steps = fc.array(fc.record({ at: fc.integer({ min: 0, max: 9 }), removes: fc.boolean() }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, all => {
        const stack = new StackDistance(10);
        const members: Stacked[] = Array.from({ length: 10 }, () => ({ position: 0 }));
        let list: number[] = [];
        for (const [step, { at, removes }] of all.entries()) {
          // Rarely, so that the tree fills up and is made anew.
          if (removes && step % 7 === 0) {
            stack.remove(members[at]!);
            list = list.filter(each => each !== at);
            continue;
          }
          const expected = list.includes(at) ? list.length - 1 - list.indexOf(at) : undefined;
          expect(stack.access(members[at]!)).toBe(expected);
          list = [...list.filter(each => each !== at), at];
        }
      }),
    );
  });
});
