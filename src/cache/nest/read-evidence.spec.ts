import fc from 'fast-check';
import { maxMemberLength, memberOf, ReadEvidence, repeatableOf, type Repeatable } from './read-evidence';

const request = {
  params: { id: 'a' },
  query: { limit: '5', tag: ['x', 'y'] },
  headers: { accept: 'text/csv' },
};

describe('a read as text', () => {
  it('is the same for the same read, in whatever order its parts came', () => {
    const one = memberOf({ head: 'agents:list', request });
    const other = { ...request, query: { tag: ['x', 'y'], limit: '5' } };
    expect(memberOf({ head: 'agents:list', request: other })).toBe(one);
    expect(memberOf({ head: 'agents:list', request: { ...request, headers: {} } })).not.toBe(one);
    expect(memberOf({ head: 'agents:all', request })).not.toBe(one);
  });

  it('can be read back', () => {
    const name = fc.string({ maxLength: 8 }).filter(text => text !== '__proto__');
    const words = fc.dictionary(name, fc.string({ maxLength: 8 }), { maxKeys: 3, noNullPrototype: true });
    const read: fc.Arbitrary<Repeatable> = fc.oneof(
      fc.record({ head: name, request: fc.record({ params: words, query: words, headers: words }) }),
      fc.record({
        head: name,
        args: fc.array(fc.oneof(name, fc.integer(), fc.boolean(), fc.constant(null))),
      }),
    );
    fc.assert(fc.property(read, each => expect(repeatableOf(memberOf(each)!)).toEqual(each)));
  });

  it('is none where text cannot hold it, or where it is too long', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(memberOf({ head: 'm', args: [cycle] })).toBeUndefined();
    expect(memberOf({ head: 'm', args: [1n] })).toBeUndefined();
    expect(memberOf({ head: 'm', args: ['x'.repeat(maxMemberLength)] })).toBeUndefined();
  });

  it.each(['', 'null', '7', '[]', '["m"]', '["m",1,[]]', '["m","x",{}]', '["q","x",[]]', '["r","x",[]]'])(
    'that is %j is no read',
    member => {
      expect(repeatableOf(member)).toBeUndefined();
    },
  );
});

describe('ReadEvidence', () => {
  it('asks for nothing while nobody listens', () => {
    expect(new ReadEvidence().due()).toBe(false);
  });

  it('tells of reads with how many each stands for, and leaves out what cannot be made again', () => {
    const evidence = new ReadEvidence();
    const told: unknown[] = [];
    evidence.listen((...what) => told.push(what));
    expect(evidence.due()).toBe(true);
    evidence.tell('api', { head: 'm', args: [1] });
    evidence.tell('api', { head: 'm', args: [1n] });
    expect(told).toEqual([['api', '["m","m",[1]]', 1]]);
  });
});
