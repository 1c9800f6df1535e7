import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from './admin-keys';
import { settingsTable } from './app-config';
import { ConfigError, loadConfig } from './load-config';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env, folder);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const goodKey = 'k3y-With.Enough_Different~Characters!';

describe('the configuration', () => {
  it('has a default for everything', () => {
    const config = loadConfig({}, folder);
    expect(config).toMatchObject({
      environment: 'development',
      version: '2.0.0',
      server: { port: 10_010, host: '127.0.0.1', headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
      redis: { mode: 'embedded', url: undefined, commandTimeoutMs: 300 },
      database: { mode: 'embedded', dataDir: 'data' },
      admin: { apiKeys: [] },
      cache: { namespace: 'sutazai', l1MaxEntries: 10_000, l1MaxBytes: 67_108_864, fastPath: true },
      rateLimit: 100,
    });
  });

  it('takes default.yaml, then the file of the environment, then the environment variables', () => {
    writeFileSync(
      join(folder, 'default.yaml'),
      'server: { port: 1000, host: a }\ncache: { namespace: from-default }\nlog: { level: error }\n',
    );
    writeFileSync(
      join(folder, 'production.yaml'),
      'server: { port: 2000 }\ncache: { namespace: from-production }\n',
    );
    const config = loadConfig({ NODE_ENV: 'production', PORT: '3000' }, folder);
    expect(config.server).toMatchObject({ port: 3_000, host: 'a' });
    expect(config.cache.namespace).toBe('from-production');
    expect(config.log.level).toBe('error');
  });

  it('lists every problem at once, each with the name that was used to set it', () => {
    writeFileSync(
      join(folder, 'default.yaml'),
      'cache: { l1MaxEntries: many, colour: red }\nserver: 5\nunknown: 1\n',
    );
    expect(
      problemsOf({
        PORT: 'abc',
        LOG_LEVEL: 'loud',
        RATE_LIMIT: '0',
        NODE_ENV: 'staging',
        CACHE_WARMING: 'maybe',
      }),
    ).toEqual(
      expect.arrayContaining([
        'NODE_ENV must be one of development, production, test, not "staging"',
        'server in config/default.yaml must hold keys and values',
        'cache.l1MaxEntries in config/default.yaml must be a whole number from 0 to 10000000, not "many"',
        'cache.colour in config/default.yaml is not a setting',
        'CACHE_WARMING must be on or off, not "maybe"',
        'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"',
        'RATE_LIMIT must be off or a whole number from 10 to 1000000, not "0"',
        'unknown in config/default.yaml is not a setting',
      ]),
    );
  });

  it.each(['1e3', '0x10', '70000', '-1', '1.5', ' '])('refuses PORT=%s', value => {
    expect(problemsOf({ PORT: value })).toEqual([
      expect.stringContaining('PORT must be a whole number from 0 to 65535'),
    ]);
  });

  it.each(['99 * * * *', '* * *', 'hourly', '* * * * * * *'])('refuses the schedule %s', cron => {
    expect(() => loadConfig({ CACHE_WARMING_CRON: cron }, folder)).toThrow(
      `CACHE_WARMING_CRON must be a cron expression of 5 or 6 fields, or off, not "${cron}"`,
    );
  });

  it.each(['off', '*/5 * * * *', '30 */5 * * * *', '0 6 * * MON-FRI'])('takes the schedule %s', cron => {
    expect(loadConfig({ CACHE_WARMING_CRON: cron }, folder).warming.cron).toBe(cron);
  });

  it('treats an empty variable as not set', () => {
    expect(loadConfig({ PORT: '', REDIS_URL: '' }, folder).redis.mode).toBe('embedded');
  });

  it('never repeats a password or a key', () => {
    const problems = problemsOf({
      REDIS_URL: 'http://:hunter2@x',
      DATABASE_URL: 'mysql://u:hunter2@x/y',
      OLLAMA_URL: 'ftp://u:hunter2@x',
      ADMIN_API_KEYS: 'hunter2,changeme',
    });
    expect(problems).toHaveLength(4);
    expect(problems.join()).not.toMatch(/hunter2|changeme/);
  });

  it.each([
    'redis+sentinel://h1:26379,h2:26379/mymaster',
    'redis+cluster://user:hunter2@h1:6379,[::1]:6380,h3',
  ])('takes %s', url => {
    expect(loadConfig({ REDIS_URL: url }, folder).redis).toMatchObject({ mode: 'url', url });
  });

  it.each([
    'redis+sentinel://h1:26379,h2:26379',
    'redis+sentinel://u:hunter2@/mymaster',
    'redis+cluster://h1:6379/2',
    'redis+cluster://h1:99999',
    'redis+cluster://u:hunter2%@h1',
    'redis+other://h1',
  ])('refuses %s with what it may be, and without its password', url => {
    const problems = problemsOf({ REDIS_URL: url });
    expect(problems).toEqual([
      expect.stringMatching(/^REDIS_URL must be redis:.*redis\+sentinel:.*redis\+cluster:/),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each([
    'changeme',
    'short',
    '',
    'changeme'.repeat(5),
    'a'.repeat(40),
    '0123456789abcdef0123456789abcdef',
    `${goodKey},short`,
    sha256Hex('changeme'),
  ])('refuses the admin key %j', key => {
    const problems = problemsOf({ ADMIN_API_KEYS: key === '' ? ',' : key });
    expect(problems).toEqual([expect.stringMatching(/^ADMIN_API_KEYS must be/)]);
  });

  it('keeps admin keys as digests', () => {
    const digest = sha256Hex('another key');
    expect(
      loadConfig({ ADMIN_API_KEYS: `${goodKey}, ${digest.toUpperCase()}` }, folder).admin.apiKeys,
    ).toEqual([sha256Hex(goodKey), digest]);
  });

  it('is frozen to the bottom', () => {
    const config = loadConfig({}, folder);
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.server) && Object.isFrozen(config.admin.apiKeys),
    ).toBe(true);
  });

  it('documents every setting, each environment name once', () => {
    const table = settingsTable();
    expect(new Set(table.map(row => row.env)).size).toBe(table.length);
    for (const row of table)
      expect(row).toMatchObject({
        description: expect.stringMatching(/\.$/),
        default: expect.stringMatching(/./),
      });
  });
});

describe('the configuration files of the repository', () => {
  it.each(['development', 'production', 'test'])('are valid for %s', environment => {
    expect(loadConfig({ NODE_ENV: environment }).environment).toBe(environment);
  });
});
