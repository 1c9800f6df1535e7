import { Application } from '../harness/application';
import { expectProblem } from '../harness/problem';
import { RedisServer } from '../harness/redis-server';

const invalidate = '/api/v1/cache/invalidate';
interface Explained {
  entries: { tier: string; served: boolean }[];
}

describe('names of keys and tags', () => {
  let redis: RedisServer;
  let app: Application;
  beforeAll(async () => {
    redis = await RedisServer.start();
    app = await Application.start({
      REDIS_URL: redis.url,
      REDIS_COMMAND_TIMEOUT_MS: '10000',
      LOG_LEVEL: 'trace',
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      ADMIN_API_KEYS: key,
    });
  }, 60_000);
  afterAll(async () => {
    await app.stop();
    await redis.stop();
  });
  const key = 'first-Key.of_this~Test-0123456789!';
  const post = (body: unknown, path = invalidate) => app.post(path, body, { 'X-API-Key': key });
  const explain = (name: string) =>
    app.get<Explained>(`/api/v1/cache/entries/${encodeURIComponent(name)}`, { 'X-API-Key': key });
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`);

  it.each([
    ['nothing', {}, 'KEYS_REQUIRED', '$'],
    ['keys that are a text', { keys: 'a' }, 'KEYS_TYPE', 'keys'],
    ['keys that are an object', { keys: { 0: 'a', length: 1 } }, 'KEYS_TYPE', 'keys'],
    ['keys that are null', { keys: null }, 'KEYS_TYPE', 'keys'],
    ['no key', { keys: [] }, 'KEYS_EMPTY', 'keys'],
    ['1,001 keys', { keys: numbers(1_001) }, 'KEYS_TOO_MANY', 'keys'],
    ['tags that are a text', { tags: 'a' }, 'TAGS_TYPE', 'tags'],
    ['no tag', { tags: [] }, 'TAGS_EMPTY', 'tags'],
    ['101 tags', { tags: numbers(101) }, 'TAGS_TOO_MANY', 'tags'],
    ['101 tags as a list', numbers(101), 'TAGS_TOO_MANY', 'tags'],
  ])('B19: an invalidation of %s', async (_what, body, code, path) => {
    expect(expectProblem(await post(body), 400, code).errors?.[0]).toMatchObject({ path, code });
  });

  it('B19: 1,000 keys are taken, and one that is named twice counts once', async () => {
    expect((await post({ keys: numbers(1_000) })).body['keys']).toHaveLength(1_000);
    expect((await post({ keys: ['a', 'b', 'a'], tags: ['t', 't'] })).body).toMatchObject({
      keys: ['a', 'b'],
      tags: ['t'],
    });
  });

  it.each([
    ['empty', ''],
    ['of 513 bytes', 'x'.repeat(513)],
    ['of 512 characters of two bytes', 'é'.repeat(512)],
    ['with CR LF', 'a\r\nb'],
    ['with NUL', 'a\0b'],
    ['with ESC', 'a\u001b[31mb'],
    ['with DEL', 'a\u007fb'],
    ['with an override of the direction', 'a\u202eb'],
    ['with a space before', ' a'],
    ['with a space behind', 'a '],
  ])('B20: a key that is %s', async (_what, name) => {
    const problem = expectProblem(await post({ keys: ['fine', name] }), 400, 'CACHE_KEY_INVALID');
    expect(problem.errors).toEqual([
      { path: 'keys[1]', code: 'CACHE_KEY_INVALID', message: expect.stringMatching(/\w/) },
    ]);
    if (name !== '') expectProblem(await explain(name), 400, 'CACHE_KEY_INVALID');
  });

  it('B20: a lone surrogate', async () => {
    expectProblem(await post('{"keys":["a\\ud800b"]}'), 400, 'CACHE_KEY_INVALID');
  });

  it('B20: a refusal repeats no more than 64 escaped characters of a key', async () => {
    const answer = await post({ keys: [`\u001b[31m${'secret'.repeat(100)}`] });
    const { detail, errors } = expectProblem(answer, 400, 'CACHE_KEY_INVALID');
    for (const text of [detail!, errors![0]!.message]) {
      expect(text).not.toMatch(/[\u0000-\u001f]/);
      expect(text).not.toContain('secret'.repeat(11));
    }
  });

  it('B20: 512 bytes are a key, and é is not e with an accent', async () => {
    expect((await post({ keys: ['x'.repeat(512), 'é'.repeat(256)] })).status).toBe(200);
    expect((await post({ keys: ['é', 'e\u0301'] })).body['keys']).toHaveLength(2);
  });

  it.each([[1], [{}], [['a', 'b']], [null], [true], [1.5]])('B21: %j is no key', async name => {
    expect(expectProblem(await post({ keys: [name] }), 400, 'CACHE_KEY_TYPE').errors?.[0]?.path).toBe(
      'keys[0]',
    );
  });

  it('B22, B46: what means something to Redis is literal in a key: exactly that key goes', async () => {
    const client = redis.client();
    await client.set('{user}1000', 'another application');
    await client.set('*', 'another application');
    await app.get('/api/v1/agents?limit=1');
    await app.get('/api/v1/agents?limit=2');
    const [one, two] = ['agents:list|limit=1:1', 'agents:list|limit=1:2'];
    const found = async (name: string): Promise<number> => (await explain(name)).body.entries.length;
    // The key of the route holds all its declared parameters: what it is exactly is asked of Redis.
    const keys = (await client.keys('*:d:{agents:list*')).map(name =>
      decodeURIComponent(/\{(.*)\}/.exec(name)![1]!),
    );
    expect(keys.length).toBeGreaterThanOrEqual(2);
    for (const name of [
      '*',
      'agents:*',
      'agents:list|*',
      '{user}1000',
      'a?',
      '[a-z]',
      '\\',
      ':',
      '}{',
      `${one}*`,
      `${two}?`,
    ])
      expect((await post({ keys: [name] })).status).toBe(200);
    for (const name of keys) expect(await found(name)).toBeGreaterThan(0);
    expect((await post({ keys: [keys[0]] })).status).toBe(200);
    expect(await found(keys[0]!)).toBe(0);
    expect(await found(keys[1]!)).toBeGreaterThan(0);
    expect(await client.mget('{user}1000', '*')).toEqual(['another application', 'another application']);
    client.disconnect();
  });

  it('B23: a key that looks like one of ours inside is a key of a user and reaches nothing inside', async () => {
    const client = redis.client();
    await app.get('/api/v1/settings');
    await app.get('/api/v1/settings');
    const inside = await client.keys('sutazai:*');
    expect(inside.some(name => name.includes(':d:'))).toBe(true);
    for (const name of [...inside, '__redis__:invalidate', 'sutazai:1:t:settings', 'ns:d:{x}', '../settings'])
      expect((await post({ keys: [name.slice(0, 512)] })).status).toBe(200);
    const isEntry = (name: string): boolean => name.includes(':d:');
    expect((await client.keys('sutazai:*')).filter(isEntry).sort()).toEqual(inside.filter(isEntry).sort());
    expect((await app.get('/api/v1/settings')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    client.disconnect();
  });

  it.each([
    ['empty', '', 'TAG_INVALID'],
    ['of 129 bytes', 'x'.repeat(129), 'TAG_INVALID'],
    ['with a comma', 'a,b', 'TAG_INVALID'],
    ['with a space', 'a b', 'TAG_INVALID'],
    ['with a line feed', 'a\nb', 'TAG_INVALID'],
    ['that is reserved', '!any', 'TAG_RESERVED'],
    ['with the reserved mark', '!x', 'TAG_RESERVED'],
    ['that is no text', 1, 'TAG_INVALID'],
  ])('B26: a tag that is %s', async (_what, tag, code) => {
    expect(expectProblem(await post([tag]), 400, code).errors?.[0]).toMatchObject({ path: 'tags[0]', code });
    expectProblem(await post({ tags: ['fine', tag] }), 400, code);
  });

  it.each([
    ['key=a&key=b', 'QUERY_DUPLICATE'],
    ['pattern[]=a', 'QUERY_INVALID'],
    ['pattern[x]=1', 'QUERY_INVALID'],
    ['pattern=a&pattern=b', 'QUERY_DUPLICATE'],
    ['nothing=1', 'UNKNOWN_FIELD'],
  ])('B25: ?%s', async (query, code) => {
    expectProblem(await post(undefined, `/api/v1/cache/clear?${query}`), 400, code);
  });

  it.each([
    ['an unknown job', { categories: ['nonsense'] }, 404, 'WARM_JOB_UNKNOWN'],
    ['the name of a function', { categories: ['constructor'] }, 404, 'WARM_JOB_UNKNOWN'],
    ['a URL', { categories: ['http://127.0.0.1:1/'] }, 400, 'VALIDATION_FAILED'],
    ['a path', { categories: ['/etc/passwd'] }, 400, 'VALIDATION_FAILED'],
    ['a call', { categories: ['process.exit()'] }, 400, 'VALIDATION_FAILED'],
    ['10,001 names', { categories: numbers(10_001) }, 400, 'VALIDATION_FAILED'],
    ['none', { categories: [] }, 400, 'VALIDATION_FAILED'],
    ['keys', { keys: ['a'] }, 400, 'UNKNOWN_FIELD'],
    ['a field with a URL', { url: 'http://127.0.0.1:1/' }, 400, 'UNKNOWN_FIELD'],
  ])('B35: warming %s does nothing, inside or outside', async (_what, body, status, code) => {
    expectProblem(await post(body, '/api/v1/cache/warm'), status, code);
  });

  it('B43: what is given as a key breaks no line of the log, and is not in it at length', async () => {
    const before = app.output.length;
    const names = ['a\nlevel=error user=root', '\u001b[31mred', `long${'x'.repeat(400)}`];
    for (const name of names) {
      await post({ keys: [name] });
      await explain(name);
      await app.get(`/api/v1/agents/${encodeURIComponent(name)}`);
    }
    await app.get('/nothing/%0d%0alevel=error%1b[31m');
    await post(`"${'x'.repeat(100_000)}`);
    const lines = app.output
      .slice(before)
      .split('\n')
      .filter(line => line !== '');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(line).not.toMatch(/\u001b|^level=/);
      expect(line).not.toContain('x'.repeat(201));
    }
  });
});
