import { Logger } from '@nestjs/common';
import { DatabaseUnavailableError } from './database-errors';
import { UnsettledStatements } from './unsettled-statements';

const quick = { firstLookMs: 1, maxLookMs: 1, presenceLimitMs: 60_000 };
/** Resolves to whether a promise is settled, once everything that is ready has run. */
const isOver = async (promise: Promise<void>): Promise<boolean> => {
  let over = false;
  void promise.then(() => (over = true));
  await new Promise(setImmediate);
  return over;
};

describe('a statement that was not answered', () => {
  it('is settled when the server says that the process which had it has ended, and not while it is away', async () => {
    const answers: (number[] | Error)[] = [new DatabaseUnavailableError(), [7, 8], [8], []];
    const seen: boolean[][] = [];
    const waiting: Promise<void>[] = [];
    const statements: UnsettledStatements = new UnsettledStatements(async pids => {
      seen.push(await Promise.all(waiting.map(isOver)));
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer.filter(pid => pids.includes(pid));
    }, quick);
    waiting.push(statements.settled(7), statements.settled(8));
    await Promise.all(waiting);
    expect(seen).toEqual([
      [false, false],
      [false, false],
      [false, false],
      [true, false],
    ]);
    expect(statements.size).toBe(0);
  });

  it('shares its process with another one, and both are settled together', async () => {
    const statements = new UnsettledStatements(() => Promise.resolve([]), quick);
    expect(statements.settled(7)).toBe(statements.settled(7));
    await statements.settled(7);
    const later = statements.settled(7); // the watch begins anew
    await later;
  });

  it('counts as settled when its process is there for too long: it is another one under the same number', async () => {
    let looks = 0;
    const present = (pids: readonly number[]): Promise<readonly number[]> => {
      looks += 1;
      return Promise.resolve(pids);
    };
    const statements = new UnsettledStatements(present, { ...quick, presenceLimitMs: 5 });
    await statements.settled(7);
    expect(looks).toBeGreaterThan(1);
  });

  it('counts as settled after the same time where the server answers and does not say', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const refused = (): Promise<never> => Promise.reject(new Error('permission denied'));
    await new UnsettledStatements(refused, { ...quick, presenceLimitMs: 5 }).settled(7);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/1 statements: permission denied$/));
    warn.mockRestore();
  });

  it('counts as settled when too many wait, the oldest first, and when the database is closed', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const statements = new UnsettledStatements(never, { ...quick, max: 2 });
    const all = [1, 2, 3].map(pid => statements.settled(pid));
    expect(await Promise.all(all.map(isOver))).toEqual([true, false, false]);
    expect(statements.size).toBe(2);
    statements.close();
    await Promise.all(all);
    await statements.settled(4);
    expect(statements.size).toBe(0);
  });
});
