import { Pool } from 'pg';
import { CountingProxy } from '../../test/e2e/harness/counting-proxy';
import { PostgresServer } from '../../test/e2e/harness/postgres-server';
import { Statements } from './statements';

describe('the count of statements on the wire', () => {
  let postgres: PostgresServer | undefined;
  let proxy: CountingProxy | undefined;
  let pool: Pool | undefined;
  afterAll(async () => {
    await pool?.end();
    await proxy?.stop();
    await postgres?.stop();
  });

  it('is what a real client has run, on all of its connections', async () => {
    const statements = new Statements();
    postgres = await PostgresServer.start();
    proxy = await CountingProxy.start(postgres.port, () => statements.connection());
    pool = new Pool({ host: '127.0.0.1', port: proxy.port, user: 'postgres', database: 'postgres' });
    await pool.query('SELECT 1');
    expect(statements.count).toBe(1);
    await Promise.all(Array.from({ length: 5 }, (_, n) => pool!.query('SELECT $1::text', [`Q${n}E`])));
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT length($1)', ['Q'.repeat(200_000)]);
    await client.query('COMMIT');
    client.release();
    expect(statements.count).toBe(9);
  }, 30_000);

  it('is the same in whatever pieces the bytes come', () => {
    const message = (letter: string, text: string): Buffer => {
      const bytes = Buffer.from(`${letter}----${text}\0`);
      bytes.writeInt32BE(bytes.length - letter.length, letter.length);
      return bytes;
    };
    const all = Buffer.concat(['', 'Q', 'P', 'E', 'S', 'Q'].map((letter, at) => message(letter, `QE${at}`)));
    for (const size of [1, 3, 7, all.length]) {
      const statements = new Statements();
      const take = statements.connection();
      for (let at = 0; at < all.length; at += size) take(all.subarray(at, at + size));
      expect([size, statements.count]).toEqual([size, 3]);
    }
  });
});
