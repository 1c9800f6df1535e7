import { Canaries, canariesInTurn } from './canaries';

const canaries = (): Canaries => new Canaries(name => `c:${name}`);
const turn = (all: Canaries, fromMs: number): string[] =>
  Array.from({ length: canariesInTurn }, (_, n) => all.next(fromMs + n));

describe('canaries', () => {
  test('each has a time of its own, also when several are heard as one message', () => {
    const all = canaries();
    const names = turn(all, 100);
    expect(new Set(names).size).toBe(canariesInTurn);
    expect(names.map(name => all.heard(name))).toEqual([100, 101, 102, 103, 104, 105, 106, 107]);
  });

  test('a name that was heard is used again, in turn, because its key needs no room on a full server', () => {
    const all = canaries();
    const names = turn(all, 0);
    for (const name of names) all.heard(name);
    expect(turn(all, 100)).toEqual(names);
  });

  test('a name that was not heard is not used again: a message held up for a whole turn counts for the old canary', () => {
    const all = canaries();
    const held = turn(all, 100);
    const later = turn(all, 200);
    expect(later.filter(name => held.includes(name))).toEqual([]);
    expect(
      held.map(name => all.heard(name)).every(sentAtMs => sentAtMs === undefined || sentAtMs < 200),
    ).toBe(true);
    expect(all.heard(later[0]!)).toBe(200);
  });

  test('one that stays unheard costs its own name only', () => {
    const all = canaries();
    const [lost, ...others] = turn(all, 100);
    for (const name of others) all.heard(name);
    for (let beat = 0; beat < 3 * canariesInTurn; beat += 1) {
      const name = all.next(1_000 + beat);
      expect(name).not.toBe(lost);
      all.heard(name);
    }
    expect(all.heard(lost!)).toBe(100);
  });

  test('one that was refused, or that nobody sent, means nothing when it is heard', () => {
    const all = canaries();
    const name = all.next(100);
    all.refused(name);
    expect(all.heard(name)).toBeUndefined();
    expect(all.heard('c:7.7')).toBeUndefined();
  });

  test('after new names were taken the old ones mean nothing', () => {
    const all = canaries();
    const before = all.next(100);
    all.renew();
    expect(all.heard(before)).toBeUndefined();
    expect(all.next(200)).not.toBe(before);
  });
});
