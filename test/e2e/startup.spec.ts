import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application } from './harness/application';
import { eventually } from './harness/eventually';

/** Children of a process, and theirs; from /proc (proc(5): the parent is the second field after the name). */
function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => statOf(name)?.split(') ').pop()?.split(' ')[1] === String(pid))
    .map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

function isAlive(pid: number): boolean {
  const stat = statOf(String(pid));
  return stat !== undefined && !stat.includes(') Z ');
}

/** Undefined when the process has ended meanwhile. */
function statOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

describe('the start', () => {
  it('lists every problem of the configuration at once, and ends with 1', async () => {
    const app = await Application.spawn({
      LOG_LEVEL: 'loud',
      REDIS_URL: 'http://a:1',
      ADMIN_API_KEYS: 'changeme',
      CACHE_L1_MAX_ENTRIES: '-1',
    });
    expect(await app.exited).toMatchObject({ code: 1 });
    expect(app.output.trim().split('\n')).toEqual([
      'The configuration has 4 problems:',
      expect.stringMatching(/^ {2}- REDIS_URL must be redis:/),
      expect.stringMatching(
        /^ {2}- ADMIN_API_KEYS must be a comma-separated list .*: key 1 of 1 is well known$/,
      ),
      '  - CACHE_L1_MAX_ENTRIES must be a whole number from 0 to 10000000, not "-1"',
      expect.stringMatching(/^ {2}- LOG_LEVEL must be one of .*, not "loud"$/),
    ]);
  });

  it('tells of each part in one line what runs, in which mode, and what to set for the real thing', async () => {
    const app = await Application.start({
      REDIS_URL: undefined,
      DATABASE_URL: undefined,
      NODE_ENV: 'development',
    });
    try {
      const lines = await eventually(() => {
        const all = app.output.split('\n').filter(line => /^[A-Z][A-Za-z]+ {2,}/.test(line));
        expect(all).toHaveLength(6);
        return all;
      });
      expect(lines.map(line => line.split(' ', 1)[0])).toEqual([
        'HTTP',
        'Redis',
        'Database',
        'Models',
        'Admin',
        'Cache',
      ]);
      expect(lines.join('\n')).toMatch(
        /set REDIS_URL[\s\S]*set DATABASE_URL[\s\S]*set OLLAMA_URL[\s\S]*set ADMIN_API_KEYS/,
      );
    } finally {
      await app.stop();
    }
  });

  it('refuses a DATA_DIR in use with one line, and takes over the one of a process that was killed', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-data-'));
    const first = await Application.start({ DATA_DIR: dataDir, DATABASE_URL: undefined });
    const second = await Application.spawn({ DATA_DIR: dataDir, DATABASE_URL: undefined });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.output.trim().split('\n')).toEqual([
      expect.stringContaining(`DATA_DIR ${dataDir} is in use by another process (${first.pid})`),
    ]);
    await first.stop('SIGKILL');
    const third = await Application.start({ DATA_DIR: dataDir, DATABASE_URL: undefined });
    expect((await third.get('/')).status).toBe(200);
    await third.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('says in one line that the port is in use, and ends with 1', async () => {
    const first = await Application.start();
    const second = await Application.spawn({ PORT: String(first.port) });
    expect(await second.exited).toMatchObject({ code: 1 });
    expect(second.output.trim()).toBe(
      `Port ${first.port} on 127.0.0.1 is in use by another program: stop it or set PORT.`,
    );
    await first.stop();
  });
});

describe('the end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'comes within 5 s of %s, with code 0 and without children left',
    async signal => {
      const app = await Application.start({ REDIS_URL: undefined });
      const children = descendantsOf(app.pid);
      expect(children.length).toBeGreaterThan(0);
      const startedAt = performance.now();
      expect(await app.stop(signal)).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      await eventually(() => expect(children.filter(isAlive)).toEqual([]));
    },
  );

  it('is not held up by a connection that a client keeps open', async () => {
    const app = await Application.start();
    const open = app.raw('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 10_000);
    await eventually(async () => expect((await app.get('/')).status).toBe(200));
    expect(await app.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await open).toMatch(/^HTTP\/1\.1 200 /);
  });
});
