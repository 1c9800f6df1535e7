import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { putEmptyDatabase } from '../../test/e2e/harness/empty-database';
import { DataDirLock } from './data-dir-lock';
import { brokenConstraint, DatabaseUnavailableError, sqlState } from './database-errors';
import type { Driver } from './driver';
import { openEmbedded } from './embedded';
import { EmbeddedThread, maxWaiting, StatementError } from './embedded-thread';
import { agents, agentTokens } from './schema';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  putEmptyDatabase(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the thread of the embedded database', () => {
  let database: EmbeddedThread;
  beforeAll(async () => {
    database = await EmbeddedThread.open(join(folder, 'pg'));
    await database.exec('CREATE TABLE numbers (n int CONSTRAINT numbers_unique UNIQUE); ANALYZE numbers');
  }, 60_000);
  afterAll(() => database.close());
  beforeEach(() => database.exec('DELETE FROM numbers'));
  const numbers = async (): Promise<unknown[]> =>
    (await database.query<{ n: number }>('SELECT n FROM numbers ORDER BY n')).rows.map(({ n }) => n);

  it('lets the event loop turn while a statement runs', async () => {
    let turns = 0;
    let isDone = false;
    const slow = database.query('SELECT count(*) FROM generate_series(1, 300000)').finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await nextTurn();
      turns += 1;
    }
    expect((await slow).rows).toEqual([{ count: 300_000 }]);
    // On the thread of the loop it would be the few turns before the statement and behind it.
    expect(turns).toBeGreaterThan(50);
  });

  it('tells what PostgreSQL says of a statement that is wrong', async () => {
    await database.query('INSERT INTO numbers VALUES ($1)', [1]);
    const error: unknown = await database
      .query('INSERT INTO numbers VALUES ($1)', [1])
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StatementError);
    expect([sqlState(error), brokenConstraint(error)]).toEqual(['23505', 'numbers_unique']);
    await expect(database.exec('SELECT nothing')).rejects.toMatchObject({ code: '42703' });
  });

  it('tells a database that has run out of something from a statement that is wrong', async () => {
    const full = `DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$`;
    const error: unknown = await database.exec(full).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatabaseUnavailableError);
    expect((error as Error).cause).toMatchObject({ code: '53100', message: 'no space left' });
  });

  it('lets nobody in while a transaction is open, and the next one after it', async () => {
    let [inside, goOn] = [(): void => undefined, (): void => undefined];
    const isInside = new Promise<void>(resolve => (inside = resolve));
    const mayGoOn = new Promise<void>(resolve => (goOn = resolve));
    const first = database.transaction(async transaction => {
      await transaction.query('INSERT INTO numbers VALUES (1)');
      inside();
      await mayGoOn;
      await transaction.query('INSERT INTO numbers VALUES (2)');
      throw new Error('taken back');
    });
    await isInside;
    const seen = numbers();
    const second = database.transaction(transaction => transaction.query('INSERT INTO numbers VALUES (3)'));
    const seenLater = numbers();
    goOn();
    await expect(first).rejects.toThrow('taken back');
    await second;
    expect([await seen, await seenLater]).toEqual([[], [3]]);
  });

  it('takes back a transaction that PostgreSQL has refused a statement of', async () => {
    const refused = database.transaction(async transaction => {
      await transaction.query('INSERT INTO numbers VALUES (1)');
      await transaction.query('INSERT INTO numbers VALUES (1)');
    });
    await expect(refused).rejects.toMatchObject({ code: '23505' });
    expect(await numbers()).toEqual([]);
  });

  it('refuses what comes when too many statements wait, be it for a transaction, which comes to its end', async () => {
    let goOn = (): void => undefined;
    const mayGoOn = new Promise<void>(resolve => (goOn = resolve));
    const first = database.transaction(async transaction => {
      await mayGoOn;
      await transaction.query('INSERT INTO numbers VALUES (1)');
    });
    const others = Array.from({ length: maxWaiting - 1 }, () => database.query('SELECT 1'));
    for (const refused of [database.query('SELECT 1'), database.transaction(() => Promise.resolve())])
      await expect(refused).rejects.toThrow(DatabaseUnavailableError);
    goOn();
    await Promise.all([first, ...others]);
    expect(await numbers()).toEqual([1]);
  }, 30_000);
});

describe('the embedded database', () => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await openEmbedded(folder, () => undefined);
    await driver.migrate(new AbortController().signal);
  }, 60_000);
  afterAll(() => driver.close());

  it('gives rows as the schema says, and its transactions are those of drizzle', async () => {
    const agent = {
      id: 'one',
      name: 'One',
      type: 'test',
      status: 'unknown',
      capabilities: ['a', 'b'],
    } as const;
    const row = await driver.orm.transaction(async transaction => {
      const [inserted] = await transaction
        .insert(agents)
        .values({ ...agent, capabilities: [...agent.capabilities] })
        .returning();
      await transaction.insert(agentTokens).values({ agentId: 'one', sha256: 'a'.repeat(64) });
      return inserted;
    });
    expect(row).toMatchObject({ ...agent, version: expect.any(Number) as number, url: null });
    expect(typeof row?.createdAt).toBe('string');
    expect(await driver.orm.select().from(agents)).toEqual([row]);
    await expect(
      driver.orm.transaction(async transaction => {
        await transaction.delete(agents);
        transaction.rollback();
      }),
    ).rejects.toThrow('Rollback');
    expect(await driver.orm.select().from(agents)).toHaveLength(1);
  });

  it('is nobody’s to read or write but its owner’s, also where an earlier release has made the folder', async () => {
    const own = mkdtempSync(join(tmpdir(), 'embedded-'));
    putEmptyDatabase(own);
    chmodSync(join(own, 'pg'), 0o755);
    const opened = await openEmbedded(own, () => undefined);
    expect(statSync(join(own, 'pg')).mode & 0o777).toBe(0o700);
    await opened.close();
    rmSync(own, { recursive: true });
  });

  it('is away once it is closed', async () => {
    const own = mkdtempSync(join(tmpdir(), 'embedded-'));
    putEmptyDatabase(own);
    const closed = await openEmbedded(own, () => undefined);
    const last = closed.ping();
    await closed.close();
    await expect(last).resolves.toBeUndefined();
    await expect(closed.ping()).rejects.toThrow(DatabaseUnavailableError);
    rmSync(own, { recursive: true });
  });

  it('says that it cannot be opened, and gives the folder back', async () => {
    const own = mkdtempSync(join(tmpdir(), 'embedded-'));
    mkdirSync(join(own, 'pg'));
    writeFileSync(join(own, 'pg', 'PG_VERSION'), 'of no version');
    await expect(openEmbedded(own, () => undefined)).rejects.toThrow();
    await (await DataDirLock.take(own)).release();
    rmSync(own, { recursive: true });
  });
});
