import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import { eventually } from '../../test/e2e/harness/eventually';
import { DataDirLock } from './data-dir-lock';
import { Database } from './database';
import { DatabaseUnavailableError, DataDirInUseError, outcomeUnknown, reasonOf } from './database-errors';
import { agents } from './schema';
import { migrate } from './migrate';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(() => server.stop());

const options = (url: string) =>
  ({
    mode: 'server',
    url,
    dataDir: '/nowhere',
    poolSize: 4,
    connectTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
  }) as const;

/** How PostgreSQL begins to tell the number of the process (BackendKeyData, protocol 3). */
const backendKey = Buffer.from([0x4b, 0, 0, 0, 12]);

const fellThrough = (): never => {
  throw new Error('it succeeded');
};
const refusedConnection = (error: unknown): unknown => {
  expect(reasonOf(error)).toContain('ECONNREFUSED');
  return error;
};

describe('the database on a PostgreSQL server', () => {
  it('is migrated once by two instances that start at once', async () => {
    const url = await server.createDatabase('together');
    const both = await Promise.all([Database.open(options(url)), Database.open(options(url))]);
    const files = readdirSync(join(__dirname, 'migrations')).map(name => ({ name }));
    expect(await server.query('SELECT name FROM schema_migrations ORDER BY name', [], url)).toEqual(files);
    for (const database of both) expect(await database.ping(1_000)).toBeGreaterThan(0);
    await Promise.all(both.map(database => database.close()));
  });

  it('counts the queries that features run, and neither pings nor migrations', async () => {
    const database = await Database.open(options(await server.createDatabase('counted')));
    await database.ping(1_000);
    expect(database.queries).toBe(0);
    await database.orm.select().from(agents);
    expect(database.queries).toBe(1);
    await database.close();
  });

  it('gives up a statement that takes too long, as unavailable', async () => {
    const database = await Database.open(options(await server.createDatabase('slow')));
    const error: unknown = await database.orm
      .execute('SELECT pg_sleep(5)')
      .catch((reason: unknown) => reason);
    expect((error as { cause?: unknown }).cause).toBeInstanceOf(DatabaseUnavailableError);
    await database.close();
  });

  it('knows of a statement that was handed to a server and not answered, and when what it did can be read', async () => {
    const url = await server.createDatabase('frozen');
    const database = await Database.open({ ...options(url), statementTimeoutMs: 50 });
    await database.orm.execute('CREATE TABLE late (n int)');
    const fail = (work: Promise<unknown>): Promise<unknown> =>
      work.then(fellThrough, (error: unknown) => error);
    server.freeze();
    const errors = [
      await fail(database.orm.execute('INSERT INTO late VALUES (1)')),
      await fail(database.orm.execute('SELECT 1')), // by a connection of its own, which is not made
    ];
    server.thawServer();
    const settled = outcomeUnknown(errors[0]);
    let isSettled = false;
    void settled?.then(() => (isSettled = true));
    expect([settled, outcomeUnknown(errors[1])]).toEqual([expect.any(Promise), undefined]);
    expect(database.unsettled).toBe(1);
    // It has been asked, and has the process that was handed the statement.
    await eventually(() => database.orm.execute('SELECT 1'));
    const looks = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE $1';
    await eventually(async () =>
      expect(await server.query(looks, ['SELECT pg_backend_pid()%'], url)).toEqual([{ n: 1 }]),
    );
    expect([await server.query('SELECT n FROM late', [], url), isSettled]).toEqual([[], false]);
    server.thaw();
    await settled;
    expect(await server.query('SELECT n FROM late', [], url)).toEqual([{ n: 1 }]);
    expect(database.unsettled).toBe(0);
    await database.close();
  }, 30_000);

  it('cannot tell behind a pooler, which makes numbers of processes up, and waits', async () => {
    const url = await server.createDatabase('pooled');
    const pooler = createServer(client => {
      const upstream = connect(server.port, '127.0.0.1');
      client.pipe(upstream);
      upstream.on('data', (chunk: Buffer) => {
        const at = chunk.indexOf(backendKey); // its number follows
        if (at !== -1) chunk.writeInt32BE(1_999_999_999, at + backendKey.length);
        client.write(chunk);
      });
      for (const end of [client, upstream]) end.on('error', () => (client.destroy(), upstream.destroy()));
    }).listen(0, '127.0.0.1');
    await once(pooler, 'listening');
    const { port } = pooler.address() as AddressInfo;
    const database = await Database.open({
      ...options(url.replace(/:\d+\//, `:${port}/`)),
      statementTimeoutMs: 50,
    });
    const { rows } = (await database.orm.execute('SELECT pg_backend_pid() AS pid')) as {
      rows: { pid: number }[];
    };
    server.freeze();
    const error = await database.orm.execute('SELECT 1').then(fellThrough, (reason: unknown) => reason);
    server.thaw();
    const settled = outcomeUnknown(error);
    const looks = `SELECT 1 FROM pg_stat_activity WHERE datname = 'pooled' AND query LIKE '%ARRAY(SELECT pid%'`;
    await eventually(async () => expect(await server.query(looks)).toHaveLength(1));
    await eventually(async () =>
      expect(await server.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [rows[0]!.pid])).toEqual([]),
    );
    expect(database.unsettled).toBe(1);
    await database.close();
    await settled;
    pooler.close();
  }, 30_000);

  it('knows the same of a transaction, whose other statements come too late', async () => {
    const url = await server.createDatabase('frozen_transaction');
    const database = await Database.open({ ...options(url), statementTimeoutMs: 50 });
    const error = await database.orm
      .transaction(async transaction => {
        await transaction.execute('CREATE TABLE late (n int)');
        server.freeze();
        await transaction.execute('INSERT INTO late VALUES (1)');
      })
      .then(fellThrough, (reason: unknown) => reason);
    const settled = outcomeUnknown(error);
    expect(settled).toBeInstanceOf(Promise);
    server.thaw();
    await settled;
    expect(await server.query(`SELECT to_regclass('late') AS found`, [], url)).toEqual([{ found: null }]);
    await database.close();
  }, 30_000);

  it('knows that nothing came of a statement that the server refused or that nobody was handed', async () => {
    const database = await Database.open(options(await server.createDatabase('refused')));
    const fail = (sql: string): Promise<unknown> =>
      database.orm.execute(sql).then(fellThrough, (error: unknown) => error);
    const errors = [await fail('SELECT pg_sleep(5)'), await fail('SELECT 1/0')];
    await server.kill();
    errors.push(await eventually(() => fail('SELECT 1').then(refusedConnection)));
    expect(errors.map(error => outcomeUnknown(error))).toEqual([undefined, undefined, undefined]);
    await server.up();
    await database.close();
  }, 30_000);

  it('opens while the server is away, fails queries at once, and is migrated when it comes', async () => {
    const url = await server.createDatabase('later');
    await server.kill();
    const database = await Database.open(options(url));
    expect(() => database.orm).toThrow(DatabaseUnavailableError);
    await expect(database.ping(500)).rejects.toThrow(DatabaseUnavailableError);
    const worked: string[] = [];
    await database.onReady(async () => void worked.push('seeded'));
    expect(worked).toEqual([]);
    await server.up();
    await eventually(() => expect(database.isReady).toBe(true), 20_000);
    expect(await database.orm.select().from(agents)).toEqual([]);
    await eventually(() => expect(worked).toEqual(['seeded']));
    await database.close();
  }, 60_000);

  it('tells a server that went away from a wrong statement, and heals', async () => {
    const database = await Database.open(options(await server.createDatabase('heals')));
    await database.orm.select().from(agents);
    await server.kill();
    const away: unknown = await database.orm
      .select()
      .from(agents)
      .catch((reason: unknown) => reason);
    expect((away as { cause?: unknown }).cause).toBeInstanceOf(DatabaseUnavailableError);
    await server.up();
    await eventually(() => database.orm.select().from(agents));
    const wrong: unknown = await database.orm.execute('SELECT nothing').catch((reason: unknown) => reason);
    expect((wrong as { cause?: { code?: string } }).cause).toMatchObject({ code: '42703' });
    await database.close();
  }, 60_000);

  it('opens while another instance migrates for long, and is ready when that is done', async () => {
    const url = await server.createDatabase('held');
    const other = new Client({ connectionString: url });
    await other.connect();
    await other.query('SELECT pg_advisory_lock(7351001)');
    const [waiting, closed] = await Promise.all(
      [1, 1].map(patienceMs => Database.open(options(url), patienceMs)),
    );
    const done: string[] = [];
    await waiting!.onReady(() => Promise.resolve(void done.push('first')));
    expect([waiting!.isReady, done]).toEqual([false, []]);
    await expect(waiting!.ping(1_000)).rejects.toThrow(DatabaseUnavailableError);
    await closed!.close(); // while it waits
    await other.end();
    await eventually(() => expect([waiting!.isReady, done]).toEqual([true, ['first']]));
    await waiting!.close();
  }, 30_000);

  it('does what waited for a server that came late, again until it succeeds, and then the rest', async () => {
    const late = await PostgresServer.start();
    const url = await late.createDatabase('late');
    await late.kill();
    const database = await Database.open(options(url));
    const done: string[] = [];
    let failures = 2;
    await database.onReady(async () => {
      if ((failures -= 1) >= 0) throw Object.assign(new Error('terminated'), { code: '57P01' });
      done.push('first');
      return Promise.resolve();
    });
    await database.onReady(() => Promise.resolve(void done.push('second')));
    expect(done).toEqual([]);
    await late.up();
    await eventually(() => expect(done).toEqual(['first', 'second']));
    await database.close();
    await late.stop();
  }, 60_000);

  it('translates the outage inside a transaction too', async () => {
    const database = await Database.open(options(await server.createDatabase('inside')));
    const error: unknown = await database.orm
      .transaction(async transaction => {
        await transaction.execute('SELECT 1');
        await transaction.execute('SELECT pg_terminate_backend(pg_backend_pid())');
      })
      .catch((reason: unknown) => reason);
    expect((error as { cause?: unknown }).cause ?? error).toBeInstanceOf(DatabaseUnavailableError);
    await database.close();
  });
});

describe('migrations', () => {
  it('run in the order of their names, and refuse a file that changed after it ran', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
    const url = await server.createDatabase('files');
    const client = new Client({ connectionString: url });
    await client.connect();
    const connection = {
      query: (sql: string, parameters: unknown[]) => client.query(sql, parameters),
      exec: (sql: string) => client.query(sql),
    };
    writeFileSync(join(folder, '0002_b.sql'), 'ALTER TABLE a ADD COLUMN b int; CREATE INDEX ON a (b);');
    writeFileSync(join(folder, '0001_a.sql'), 'CREATE TABLE a (id int);');
    expect(await migrate(connection, folder)).toEqual(['0001_a.sql', '0002_b.sql']);
    expect(await migrate(connection, folder)).toEqual([]);
    writeFileSync(join(folder, '0003_broken.sql'), 'CREATE TABLE c (id int); SELECT nothing;');
    await expect(migrate(connection, folder)).rejects.toThrow('nothing');
    expect((await client.query("SELECT to_regclass('c') AS c")).rows).toEqual([{ c: null }]);
    rmSync(join(folder, '0003_broken.sql'));
    writeFileSync(join(folder, '0001_a.sql'), 'CREATE TABLE a (id bigint);');
    await expect(migrate(connection, folder)).rejects.toThrow('0001_a.sql changed after it ran');
    await client.end();
    rmSync(folder, { recursive: true });
  });
});

describe('the claim on the data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'claim-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('belongs to one, and is free again after release', async () => {
    const first = await DataDirLock.take(folder);
    await expect(DataDirLock.take(folder)).rejects.toThrow(DataDirInUseError);
    await expect(DataDirLock.take(folder)).rejects.toThrow(`another process (${process.pid})`);
    await first.release();
    await (await DataDirLock.take(folder)).release();
  });

  it('is taken over from a process that was killed, by exactly one of many', async () => {
    const script = `require('node:net').createServer(s=>s.end('pid 1 x')).listen(${JSON.stringify(join(folder, 'lock.sock'))},()=>console.log('up'))`;
    const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise(resolve => holder.stdout.once('data', resolve));
    await expect(DataDirLock.take(folder)).rejects.toThrow(DataDirInUseError);
    holder.kill('SIGKILL');
    await new Promise(resolve => holder.once('exit', resolve));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => DataDirLock.take(folder)));
    const taken = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    expect(taken).toHaveLength(1);
    await taken[0]?.release();
  });

  it('works in a folder whose path is too long for a socket', async () => {
    const deep = join(folder, 'd'.repeat(120));
    mkdirSync(deep);
    const first = await DataDirLock.take(deep);
    await expect(DataDirLock.take(deep)).rejects.toThrow(DataDirInUseError);
    await first.release();
  });
});
