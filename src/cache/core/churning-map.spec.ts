import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ChurningMap } from './churning-map';

/** Bytes in use that only a full collection looks at. */
function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !space_name.startsWith('new_'))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

describe('ChurningMap', () => {
  test('holds what was put in until it is taken out', () => {
    const map = new ChurningMap<string, number>();
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, 2, undefined, 2]);
    expect(map.values().sort()).toEqual([2, 3]);
    map.delete('a');
    map.delete('a');
    expect([map.get('a'), map.size, map.values()]).toEqual([undefined, 1, [2]]);
  });

  test('takes every name, also those that mean something to an object', () => {
    const map = new ChurningMap<string, string>();
    const names = ['__proto__', 'constructor', 'toString', '0', '4294967295', '', '\0x'];
    for (const name of names) expect(map.get(name)).toBeUndefined();
    for (const name of names) map.set(name, `of ${name}`);
    for (const name of names) expect(map.get(name)).toBe(`of ${name}`);
    expect(map.size).toBe(names.length);
    for (const name of names) map.delete(name);
    expect([map.size, map.values()]).toEqual([0, []]);
  });

  test('does not carry what has left it into old space', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
    const names = Array.from({ length: 1_024 }, (_, at) => `name ${at}`);
    const map = new ChurningMap<string, object>();
    collect();
    const before = oldBytes();
    for (let at = 0; at < 50_000; at += 1) {
      map.set(names[at % 1_024]!, { value: new Array<number>(100).fill(at) });
      if (at >= 50) map.delete(names[(at - 50) % 1_024]!);
      if (at % 500 === 0) collect({ type: 'minor' });
    }
    // 40 MB have gone through it. A `Map` leaves 5 to 30 of them behind.
    expect(oldBytes() - before).toBeLessThan(2_000_000);
  });
});
