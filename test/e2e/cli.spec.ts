import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Application } from './harness/application';
import { RedisServer } from './harness/redis-server';

const main = resolve(__dirname, '../../dist/cli/main.js');
const key = 'e2e-key-of-the-command-line-0123456789';

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the built program as a process of its own. */
function run(
  args: readonly string[],
  env: Record<string, string> = {},
  command = process.execPath,
): Promise<Run> {
  return new Promise((done, fail) => {
    const child = spawn(command, command === process.execPath ? [main, ...args] : [...args], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', COLUMNS: '200', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    child.once('error', fail);
    child.once('close', code => done({ code, out, err }));
  });
}

describe('the command line', () => {
  let redis: RedisServer;
  let app: Application;
  let env: Record<string, string>;
  const cli = (...args: string[]): Promise<Run> => run(args, env);

  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({ REDIS_URL: redis.url, ADMIN_API_KEYS: key });
    env = { SUTAZAI_URL: app.url, SUTAZAI_API_KEY: key };
    for (let limit = 1; limit <= 30; limit += 1) await app.get(`/api/v1/agents?limit=${1 + (limit % 5)}`);
  });
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });

  describe('as somebody who has never used it', () => {
    it('shows help, for all and for each command, and ends well', async () => {
      const help = await cli('--help');
      expect(help.code).toBe(0);
      for (const command of [
        'stats',
        'doctor',
        'top',
        'explain',
        'warm',
        'clear',
        'invalidate',
        'policies',
      ]) {
        expect(help.out).toContain(`\n  ${command}`);
        const own = await cli(command, '--help');
        expect([own.code, own.err]).toEqual([0, '']);
        expect(own.out).toContain(`Usage: sutazai-cache ${command}`);
      }
      expect(help.out).toContain('Exit codes:');
    });

    it.each([
      [['starts'], /unknown command 'starts'[\s\S]*Did you mean stats/],
      [['stats', '--window', '5y'], /Allowed choices are 1m, 5m, 1h, all/],
      [['stats', '--watch', 'x'], /whole number from 1 to 3600/],
      [['clear'], /missing required argument 'pattern'/],
      [['invalidate'], /--tag or --key/],
      [['--url', 'redis://x', 'stats'], /must be an http or https address/],
      [['--key-file', '/nowhere/key', 'stats'], /ENOENT/],
    ])('%j is refused with the reason', async (args, message) => {
      const { code, err, out } = await run(args, env);
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(message);
    });

    it('says that nobody answers, or that somebody else does', async () => {
      const nobody = await run(['stats'], { SUTAZAI_URL: 'http://127.0.0.1:9' });
      expect([nobody.code, nobody.err]).toEqual([
        3,
        expect.stringMatching(/No answer from http:\/\/127\.0\.0\.1:9: .+\nIs the backend running there/),
      ]);
      const other = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
      await new Promise(ready => other.once('listening', ready));
      const { port } = other.address() as AddressInfo;
      const somebody = await run(['stats'], { SUTAZAI_URL: `http://127.0.0.1:${port}` });
      other.close();
      expect([somebody.code, somebody.err]).toEqual([3, expect.stringContaining('is not this backend')]);
    });

    it('without a key, or with a wrong one, says where a key goes, and shows none', async () => {
      const none = await run(['doctor'], { SUTAZAI_URL: app.url });
      expect([none.code, none.err]).toEqual([4, expect.stringContaining('SUTAZAI_API_KEY')]);
      const wrong = await run(['doctor'], { ...env, SUTAZAI_API_KEY: `${key}-wrong` });
      expect([wrong.code, wrong.err]).toEqual([4, expect.stringContaining('does not do')]);
      expect(wrong.err).not.toContain(key);
      const json = await run(['--json', 'doctor'], { ...env, SUTAZAI_API_KEY: `${key}-wrong` });
      expect(JSON.parse(json.err)).toMatchObject({ error: { code: expect.any(String) } });
    });

    it.each([
      ['two lines', 'a\nb'],
      ['letters of other alphabets', 'schlüssel-schlüssel-schlüssel-schlüssel'],
      ['a space', 'one two'],
    ])('refuses a key with %s where it is given, and shows nothing of it', async (_, secret) => {
      const file = join(app.dataDir, 'no-key.txt');
      writeFileSync(file, secret);
      for (const given of [
        await run(['doctor'], { ...env, SUTAZAI_API_KEY: secret }),
        await run(['--key-file', file, 'doctor'], { SUTAZAI_URL: app.url }),
      ]) {
        expect([given.code, given.err]).toEqual([2, expect.stringContaining('must be one key')]);
        expect(given.err).not.toContain(secret);
      }
    });

    it('takes the key from a file', async () => {
      const file = join(app.dataDir, 'key.txt');
      writeFileSync(file, `${key}\n`);
      const { code } = await run(['--key-file', file, 'doctor'], { SUTAZAI_URL: app.url });
      expect(code).toBe(0);
    });
  });

  it('stats shows what the API says, as a table and as JSON', async () => {
    const { out, code } = await cli('stats');
    expect(code).toBe(0);
    expect(out).toMatch(/^Hit rate [\d.]+ % \(\w+/);
    expect(out).toMatch(/\napi +\d+ +[\d.]+ % /);
    const { body } = await app.get<{ gets: number; policies: object }>('/api/v1/cache/stats?window=5m');
    const json = JSON.parse((await cli('--json', 'stats', '--window', '5m')).out) as typeof body;
    expect([json.gets, json.policies]).toEqual([body.gets, body.policies]);
    expect((await cli('stats', '--scope', 'fleet')).out).toContain('of 1 instance\n');
  });

  it('stats --watch goes on until it is stopped', async () => {
    const child = spawn(process.execPath, [main, 'stats', '--watch', '1'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    await new Promise<void>(done =>
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString('utf8');
        if (out.split('Hit rate').length > 2) done();
      }),
    );
    child.kill('SIGINT');
    await new Promise(ended => child.once('close', ended));
    expect(out.split('Hit rate').length).toBeGreaterThan(2);
  });

  it('doctor and top name the families that are read', async () => {
    const doctor = await cli('doctor');
    expect([doctor.code, doctor.err]).toEqual([0, '']);
    expect(doctor.out).toContain('Where hits and misses come from');
    expect(doctor.out).toMatch(/\nagents:list +api +30 s +5 +30 /);
    expect((await cli('top', '--by', 'misses', '--limit', '1')).out.trim().split('\n')).toHaveLength(2);
    expect(JSON.parse((await cli('top', '--json')).out)).toContainEqual(
      expect.objectContaining({ head: 'agents:list', keys: 5 }),
    );
  });

  it('policies and explain show what is in force and what is there', async () => {
    expect((await cli('policies')).out).toMatch(/\nstatic +shared +2 h +24 h /);
    await app.get('/api/v1/settings');
    const { families } = (
      await app.get<{ families: { head: string }[] }>('/api/v1/cache/doctor', { 'X-API-Key': key })
    ).body;
    const head = families.find(family => family.head.startsWith('settings'))!.head;
    const there = await cli('explain', head);
    expect([there.code, there.out]).toEqual([
      0,
      expect.stringMatching(/would be served[\s\S]*tag settings: valid/),
    ]);
    expect((await cli('explain', 'nobody')).out).toContain('Nothing is stored under nobody');
  });

  it('invalidate and warm say what they did, and warming what it would', async () => {
    const invalidated = await cli('invalidate', '--tag', 'agents', '--key', 'k');
    expect([invalidated.code, invalidated.out]).toEqual([0, '1 tag and 1 key invalidated\n']);
    expect((await cli('warm', '--dry-run')).out).toContain('would be looked at');
    const warmed = await cli('warm', '--category', 'settings');
    expect([warmed.code, warmed.out]).toEqual([
      0,
      expect.stringMatching(/^\d+ entries warmed, \d+ fresh already, 0 failed/),
    ]);
    const unknown = await cli('warm', '--category', 'nothing');
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('WARM_JOB_UNKNOWN')]);
  });

  describe('clear', () => {
    const fill = async (): Promise<void> => {
      const client = redis.client();
      for (let from = 0; from < 100_000; from += 5_000) {
        const pairs = Array.from({ length: 5_000 }, (_, at) => [
          `sutazai:1:d:{bulk:${from + at}}`,
          'x',
        ]).flat();
        await client.mset(...pairs);
      }
      client.disconnect();
    };

    it('counts, asks where somebody can be asked, and refuses where nobody can', async () => {
      expect((await cli('clear', 'nothing:*', '--dry-run')).out).toBe(
        '0 keys match nothing:*; nothing was removed\n',
      );
      const { code, err } = await cli('clear', 'nothing:*');
      expect([code, err]).toEqual([2, expect.stringContaining('say --yes')]);
    });

    it('that takes long goes on when it is told to look later, and looks less often', async () => {
      let looks = 0;
      const busy = createServer((request, response) => {
        const isCount = request.url!.includes('dry_run=true');
        const answer = (status: number, body: object, headers = {}): void =>
          void response
            .writeHead(status, { 'Content-Type': 'application/json', ...headers })
            .end(JSON.stringify(body));
        const job = { job_id: isCount ? 'count' : 'clear', matched: 7, removed: 7, scanned: 7 };
        if (request.method === 'POST') answer(202, { ...job, status: 'running' });
        else if (request.url!.endsWith('count')) answer(200, { ...job, status: 'done' });
        else if ((looks += 1) === 2)
          answer(429, { code: 'RATE_LIMITED', title: 'Too many' }, { 'Retry-After': '1' });
        else answer(200, { ...job, status: looks > 3 ? 'done' : 'running' });
      }).listen(0, '127.0.0.1');
      await new Promise(ready => busy.once('listening', ready));
      const { port } = busy.address() as AddressInfo;
      const cleared = await run(['clear', 'a:*', '--yes'], { SUTAZAI_URL: `http://127.0.0.1:${port}` });
      busy.close();
      expect([cleared.code, cleared.out, looks]).toEqual([0, '7 keys removed\n', 4]);
    });

    it('of everything needs no count', async () => {
      const { code, out } = await cli('clear', '*', '--yes');
      expect([code, out]).toEqual([0, 'everything of this namespace is cleared\n']);
      expect((await cli('clear', '*')).err).toContain('say --yes');
    });

    it('of 100,000 keys shows a bar on a terminal, and removes them and nothing else', async () => {
      await fill();
      const client = redis.client();
      await client.set('another', 'application');
      const dry = await cli('--json', 'clear', 'bulk:*', '--dry-run');
      expect(JSON.parse(dry.out)).toMatchObject({ status: 'done', matched: 100_000, removed: 0 });
      // `script` gives the program a terminal.
      const line = `"${process.execPath}" "${main}" clear 'bulk:*' --yes`;
      const { code, out } = await run(['-qefc', line, '/dev/null'], env, 'script');
      expect(code).toBe(0);
      expect(out).toMatch(/Clearing .*█.* 100 % +100000\/100000/);
      expect(out).toContain('100 000 keys removed');
      expect(await client.keys('sutazai:1:d:{bulk:*')).toEqual([]);
      expect(await client.get('another')).toBe('application');
      client.disconnect();
    });
  });

  it('with Redis away reads go on, an invalidation is queued and said so, a clear is refused', async () => {
    await redis.stop();
    expect((await cli('stats')).code).toBe(0);
    const queued = await cli('invalidate', '--tag', 'agents');
    expect([queued.code, queued.err]).toEqual([5, expect.stringContaining('Redis is away')]);
    const clear = await cli('clear', 'agents:*', '--yes');
    expect([clear.code, clear.err]).toEqual([1, expect.stringContaining('CACHE_UNAVAILABLE')]);
    const all = await cli('clear', '*', '--yes');
    expect([all.code, all.err]).toEqual([5, expect.stringContaining('when it is back')]);
    const gone = await cli('explain', 'nobody');
    expect([gone.code, gone.out]).toEqual([0, expect.stringContaining('Redis could not be asked')]);
  });
});
