import { showExplanation, type Explanation } from './explanation-view';
import { Terminal } from './terminal';

describe('an explanation', () => {
  const shown = (explanation: Partial<Explanation>): string => {
    let text = '';
    const stream = { write: (line: string) => ((text += line), true) } as NodeJS.WriteStream;
    const nothing: Explanation = {
      key: 'k',
      entries: [],
      lease: null,
      loads_here: 0,
      pending_invalidation: false,
      redis: true,
    };
    showExplanation(new Terminal(stream, stream), { ...nothing, ...explanation });
    return text;
  };
  const entry = {
    ...{ tier: 'l1', home: 'shared', served: true, why: null, age_ms: 5_000, bytes: 2_048 },
    depends_on: [
      { kind: 'namespace', name: 'namespace', valid: true },
      { kind: 'tag', name: 'agents', valid: null },
    ],
  };

  it.each([
    [25_000, 55_000, 'fresh for 25 s, then stale for 30 s'],
    [25_000, 25_000, 'fresh for 25 s, then gone'],
    [-5_000, 25_000, 'stale for 25 s more'],
    [-35_000, -5_000, 'its life is over'],
  ])('of an entry with %i ms of its fresh life and %i ms in all says: %s', (fresh_ms, stale_ms, life) => {
    expect(shown({ entries: [{ ...entry, fresh_ms, stale_ms }] })).toBe(
      `Memory: would be served\n  2 KiB, 5 s old, ${life}\n  namespace: valid\n  tag agents: nobody can say\n`,
    );
  });

  it('does not say that nothing is stored where Redis could not be asked', () => {
    expect(shown({})).toBe('Nothing is stored under k\n');
    expect(shown({ redis: false })).toBe(
      'Nothing is stored under k in the memory of this instance\nRedis could not be asked: what is there, nobody can say\n',
    );
  });
});
