import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { PullMood } from '../fakes/ollama-pulls';
import { OllamaServer } from '../fakes/ollama-server';
import { type Answer, Application } from './harness/application';
import { eventually } from './harness/eventually';
import { expectProblem } from './harness/problem';
import { RedisServer } from './harness/redis-server';
import { coherent } from './harness/two-instances';

interface ModelList {
  models: { name: string }[];
  count: number;
  provider: string | null;
}
interface Line {
  status: string;
  completed: number | null;
  percent: number | null;
  code?: string;
}
interface PullList {
  pulls: { name: string; state: string; watchers: number; ended_at: string | null; progress: Line | null }[];
  running: number;
  max_running: number;
}
interface Statistics {
  gets: number;
  outcomes: { bypass: number };
  coherence: { gate_open: boolean };
}

const path = '/api/v1/models';
const key = 'e2e-key-of-the-models-0123456789abcdef';
const admin = { 'X-API-Key': key };
const linesOf = ({ text }: Answer): Line[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line);
const pull = (app: Application, name: string): Promise<Answer> => app.post(`${path}/pull`, { name }, admin);
const pullsOf = async (app: Application): Promise<PullList> =>
  (await app.get<PullList>(`${path}/pulls`, admin)).body;
const namesOf = async (app: Application): Promise<string[]> =>
  (await app.get<ModelList>(path)).body.models.map(({ name }) => name);
const statsOf = async (app: Application): Promise<Statistics> =>
  (await app.get<Statistics>('/api/v1/cache/stats')).body;
/** What the provider was asked about its models; its health is looked at besides. */
const questionsTo = ({ asked }: OllamaServer): string[] =>
  asked.filter(request => request !== 'GET /api/version');
/** Reads that the cache was asked for. */
const reads = async (app: Application): Promise<number> => {
  const { gets, outcomes } = await statsOf(app);
  return gets - outcomes.bypass;
};
/** Begins a pull and gives back its lines one by one. */
const following = async (
  app: Application,
  name: string,
): Promise<{ next(): Promise<Line | undefined>; leave(): void }> => {
  const leaving = new AbortController();
  const response = await fetch(`${app.url}${path}/pull`, {
    ...{ method: 'POST', body: JSON.stringify({ name }), signal: leaving.signal },
    headers: { 'Content-Type': 'application/json', ...admin },
  });
  const reader = response.body!.getReader();
  let text = '';
  return {
    leave: () => leaving.abort(),
    next: async () => {
      while (!text.includes('\n')) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += Buffer.from(value).toString('utf8');
      }
      const end = text.indexOf('\n');
      const line = JSON.parse(text.slice(0, end)) as Line;
      text = text.slice(end + 1);
      return line;
    },
  };
};
/** The lines until the provider holds the pull in the middle of its layer. */
const untilHeld = async (watch: { next(): Promise<Line | undefined> }): Promise<void> => {
  for (let line = await watch.next(); line?.completed !== 500; line = await watch.next())
    if (!line) throw new Error('it ended before its middle');
};

describe('the models', () => {
  let ollama: OllamaServer;
  let app: Application;
  beforeAll(async () => {
    ollama = await OllamaServer.start();
    app = await Application.start({ OLLAMA_URL: ollama.url });
  });
  afterAll(async () => {
    await app.stop();
    await ollama.stop();
  });

  it('answer 502 or 503 as a problem when the provider fails and nothing is cached', async () => {
    ollama.mood = 'error';
    expect(await app.get('/api/v1/models')).toMatchObject({
      status: 502,
      body: { code: 'MODELS_BAD_ANSWER' },
    });
    ollama.mood = 'hang';
    const answer = await app.get('/api/v1/models');
    expect(answer).toMatchObject({ status: 503, body: { code: 'MODELS_UNAVAILABLE' } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    ollama.mood = 'well';
  });

  it('are listed, the second time without asking the provider', async () => {
    const { body, headers } = await app.get<{ models: object[]; count: number; provider: string }>(
      '/api/v1/models',
    );
    expect([body.models.length, body.count, body.provider]).toEqual([3, 3, 'ollama']);
    expect(headers.get('cache-control')).toContain('max-age=3600');
    const asked = ollama.asked.length;
    expect((await app.get('/api/v1/models')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
    expect(ollama.asked).toHaveLength(asked);
  });

  it.each([
    'llama3.2:3b',
    'hf.co/team/coder:Q4_K_M',
    'hf.co%2Fteam%2Fcoder:Q4_K_M',
    'hf.co%2Fteam%2Fcoder%3AQ4_K_M',
  ])('are shown by names with colons and slashes: %s', async name => {
    expect((await app.get(`/api/v1/models/${name}`)).body).toMatchObject({
      name: decodeURIComponent(name),
      family: 'llama',
      context_length: 131_072,
    });
    expect((await app.get(`/api/v1/models/${name}`)).headers.get('cache-status')).toMatch(/^sutazai; hit/);
  });

  it.each([path, `${path}/llama3.2:3b`])(
    'carry validators and an age on the second read: %s',
    async where => {
      const first = await app.get(where);
      const second = await app.get(where);
      expect(second.text).toBe(first.text);
      expect(second.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=3\d\d\d/);
      expect(second.headers.get('cache-control')).toBe(
        'public, max-age=3600, stale-while-revalidate=3600, stale-if-error=3600',
      );
      expect(Number(second.headers.get('age'))).toBeGreaterThanOrEqual(0);
      const etag = second.headers.get('etag')!;
      expect([(await app.get(where, { 'If-None-Match': etag })).status, etag]).toEqual([
        304,
        first.headers.get('etag'),
      ]);
    },
  );

  it.each([
    `${path}/..%2f..%2fapi`,
    `${path}/x%00y`,
    `${path}/a%20b`,
    `${path}/%C3%A9`,
    `${path}/${'a'.repeat(121)}`,
  ])('that cannot have that name ask neither the provider nor the cache: %s', async where => {
    const [asked, gets] = [ollama.asked.length, await reads(app)];
    expectProblem(await app.get(where), 404, 'MODEL_NOT_FOUND');
    expect([ollama.asked.length, await reads(app)]).toEqual([asked, gets]);
  });

  it.each([path, '/api/v1/models/llama3.2:3b'])(
    'refuse a parameter without asking the cache or Ollama: %s',
    async target => {
      const [asked, gets] = [ollama.asked.length, await reads(app)];
      const problem = expectProblem(await app.get(`${target}?limit=1`), 400, 'UNKNOWN_FIELD');
      expect(problem.errors).toMatchObject([{ path: 'limit' }]);
      expect([ollama.asked.length, await reads(app)]).toEqual([asked, gets]);
    },
  );

  it.each(['no-such', 'a/b/c:d', '..%2f..%2fapi%2fdelete', 'x%00y'])(
    'that are not there are 404: %s',
    async name => {
      expect(await app.get(`/api/v1/models/${name}`)).toMatchObject({
        status: 404,
        body: { code: 'MODEL_NOT_FOUND' },
      });
    },
  );

  it('that are not there cost the provider nothing while its list is kept, whatever they are called', async () => {
    await app.get(path);
    await app.get(`${path}/made-up`);
    const asked = questionsTo(ollama).length;
    const names = Array.from({ length: 20 }, (_, index) => [`made-up-${index}`, 'made-up']).flat();
    const answers = await Promise.all(names.map(name => app.get(`${path}/${name}`)));
    for (const answer of answers) expectProblem(answer, 404, 'MODEL_NOT_FOUND');
    expect(questionsTo(ollama).slice(asked)).toEqual([]);
  });

  it('that are not there cost it nothing while it is away, though others ask for the list past the cache', async () => {
    await app.get(`${path}/made-up`);
    ollama.mood = 'error';
    expect((await app.get(path, { Cookie: 'a=b' })).status).toBe(502);
    const asked = questionsTo(ollama).length;
    expectProblem(await app.get(`${path}/made-up`), 404, 'MODEL_NOT_FOUND');
    expect(questionsTo(ollama).slice(asked)).toEqual([]);
    ollama.mood = 'well';
  });

  it('that the provider got by itself are found with the next list, and not before', async () => {
    await app.get(path);
    ollama.models = [...ollama.models, 'other:1b'];
    expectProblem(await app.get(`${path}/other:1b`), 404, 'MODEL_NOT_FOUND');
    await app.post('/api/v1/cache/invalidate', { keys: ['models:list'] }); // what its end does to it
    expect(await namesOf(app)).toContain('other:1b');
    expect((await app.get(`${path}/other:1b`)).status).toBe(200);
  });

  it('that the provider has lost by itself are 404, and asked for once', async () => {
    ollama.models = [...ollama.models, 'lost:1b'];
    await app.post('/api/v1/cache/invalidate', ['models']);
    expect(await namesOf(app)).toContain('lost:1b');
    await app.get(`${path}/made-up`); // by the list that is kept from here on
    ollama.models = ollama.models.filter(name => !['lost:1b', 'other:1b'].includes(name));
    const asked = questionsTo(ollama).length;
    for (let time = 0; time < 3; time += 1)
      expectProblem(await app.get(`${path}/lost:1b`), 404, 'MODEL_NOT_FOUND');
    expect(questionsTo(ollama).slice(asked)).toEqual(['POST /api/show', 'GET /api/tags']);
    await app.post('/api/v1/cache/invalidate', ['models']);
    await app.get(path);
  });

  it('are loaded again after invalidate ["models"], and one of them after its own tag', async () => {
    ollama.models = [...ollama.models, 'new:1b'];
    expect((await app.get('/api/v1/models')).body['count']).toBe(3);
    expect((await app.post('/api/v1/cache/invalidate', ['models'])).status).toBe(200);
    expect((await app.get('/api/v1/models')).body['count']).toBe(4);
    const path = '/api/v1/models/llama3.2:3b';
    await app.get(path);
    await app.post('/api/v1/cache/invalidate', ['model:llama3.2:3b']);
    expect((await app.get(path)).headers.get('cache-status')).toContain('fwd=');
    expect((await app.get('/api/v1/models')).headers.get('cache-status')).toMatch(/^sutazai; hit/);
  });

  it('are served from the cache while the provider is away', async () => {
    await app.get('/api/v1/models');
    ollama.mood = 'error';
    expect((await app.get('/api/v1/models')).status).toBe(200);
    expect((await app.post('/api/v1/cache/warm', { categories: ['models'] })).status).toBe(200);
    await app.post('/api/v1/cache/invalidate', ['models']);
    const failed = await app.post('/api/v1/cache/warm', { categories: ['models'] });
    expect([failed.status, failed.body['code']]).toEqual([503, 'WARM_FAILED']);
    const { runs } = (await app.get<{ runs: unknown[] }>('/api/v1/cache/warm/runs')).body;
    expect(runs[0]).toMatchObject({
      state: 'failed',
      failed: 1,
      failed_jobs: ['/api/v1/models'],
      failures: [{ job: '/api/v1/models', reason: 'answered 502', count: 1 }],
    });
    ollama.mood = 'well';
  });
});

describe('a model that is listed and cannot be shown', () => {
  let ollama: OllamaServer;
  let app: Application;
  beforeAll(async () => {
    ollama = await OllamaServer.start();
    app = await Application.start({ OLLAMA_URL: ollama.url, CACHE_WARMING: 'off' });
  });
  afterAll(async () => {
    await app.stop();
    await ollama.stop();
  });

  it('is 404, and has the list read anew once and not for each request', async () => {
    ollama.unshown = ['tiny:latest'];
    for (let time = 0; time < 4; time += 1)
      expectProblem(await app.get(`${path}/tiny`), 404, 'MODEL_NOT_FOUND');
    expect(questionsTo(ollama).filter(question => question === 'GET /api/tags')).toHaveLength(2);
  });
});

describe('while the provider is away', () => {
  it('the last known list is served for the stale window, marked, and then no more', async () => {
    const ollama = await OllamaServer.start();
    // Redis keeps time of its own: without it, all clocks are those of the process.
    const app = await Application.start({
      OLLAMA_URL: ollama.url,
      CACHE_WARMING: 'off',
      NODE_OPTIONS: `--require ${join(__dirname, 'harness', 'an-hour-later.cjs')}`,
    });
    expect((await app.get<ModelList>(path)).body.count).toBe(3);
    await ollama.stop();
    app.signal('SIGUSR2');
    const stale = await eventually(async () => {
      const answer = await app.get<ModelList>(path);
      expect(answer.headers.get('cache-status')).toMatch(/stale/);
      return answer;
    });
    expect([stale.status, stale.body.count, stale.body.provider]).toEqual([200, 3, 'ollama']);
    expect(stale.headers.get('cache-status')).toMatch(/^sutazai; hit; ttl=-\d+; detail=stale/);
    expect(Number(stale.headers.get('age'))).toBeGreaterThanOrEqual(3_600);
    app.signal('SIGUSR2');
    const gone = await eventually(async () => {
      const answer = await app.get(path);
      expect(answer.status).toBe(503);
      return answer;
    });
    expectProblem(gone, 503, 'MODELS_UNAVAILABLE');
    await app.stop();
  }, 60_000);
});

describe('a pull', () => {
  let [ollama, app]: [OllamaServer?, Application?] = [];
  const at = (): { ollama: OllamaServer; app: Application } => ({ ollama: ollama!, app: app! });
  beforeAll(async () => {
    ollama = await OllamaServer.start();
    app = await Application.start({
      ...{ OLLAMA_URL: ollama.url, ADMIN_API_KEYS: key, CACHE_WARMING: 'off' },
      ...{ OLLAMA_MAX_PULLS: '1', OLLAMA_PULL_IDLE_MS: '1500', HTTP_HANDLER_TIMEOUT_MS: '1200' },
    });
  });
  beforeEach(() => {
    at().ollama.pulls.mood = 'well';
    at().ollama.models = ['tiny:latest'];
  });
  afterAll(async () => {
    await app?.stop();
    await ollama?.stop();
  });

  it('tells its steps as lines of JSON, and the next list has the model', async () => {
    await at().app.post('/api/v1/cache/invalidate', ['models'], admin);
    expect(await namesOf(at().app)).toEqual(['tiny:latest']);
    const answer = await pull(at().app, 'new:1b');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect([
      answer.headers.get('cache-control'),
      answer.headers.get('cache-status'),
      answer.headers.get('etag'),
    ]).toEqual(['no-store', null, null]);
    const lines = linesOf(answer);
    expect(lines[0]).toEqual({
      ...{ status: 'pulling manifest', digest: null, total: null, completed: null, percent: null },
    });
    expect(lines.find(({ completed }) => completed !== null)).toMatchObject({
      status: 'pulling dde5aa3fc5ff',
      digest: expect.stringMatching(/^sha256:/),
      total: 1_000,
      percent: expect.any(Number),
    });
    expect(lines.at(-1)).toMatchObject({ status: 'success', percent: 100 });
    expect(await namesOf(at().app)).toEqual(['new:1b', 'tiny:latest']);
    expect((await at().app.get(`${path}/new:1b`)).status).toBe(200);
    expect(at().app.output).not.toContain('Warning');
  });

  it('outlives the limit of time for beginning an answer, and its client, and is joined', async () => {
    const asked = at().ollama.asked.length;
    const release = at().ollama.pulls.hold();
    const first = await following(at().app, 'new:1b');
    await untilHeld(first);
    first.leave();
    await eventually(async () => {
      expect((await pullsOf(at().app)).pulls[0]).toMatchObject({
        name: 'new:1b',
        state: 'running',
        watchers: 0,
      });
    });
    const second = await following(at().app, 'new:1b');
    expect(await second.next()).toMatchObject({ completed: 500, percent: 50 });
    release();
    let last: Line | undefined;
    for (let line = await second.next(); line; line = await second.next()) last = line;
    expect(last).toMatchObject({ status: 'success' });
    expect(at().ollama.asked.length - asked).toBe(1);
    const { pulls, running, max_running } = await pullsOf(at().app);
    expect(pulls[0]).toMatchObject({
      state: 'done',
      ended_at: expect.any(String),
      progress: { status: 'success' },
    });
    expect([running, max_running]).toEqual([0, 1]);
  });

  /** Follows a pull so many times on one connection, whose answers wait behind one another, and takes nothing. */
  async function pipelined(name: string, times = 1): Promise<Socket> {
    const body = JSON.stringify({ name });
    const socket: Socket = await new Promise(resolve => {
      const made = connect(at().app.port, '127.0.0.1', () => resolve(made));
    });
    socket.pause();
    const request = `POST ${path}/pull HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(request.repeat(times));
    return socket;
  }

  it('is left by all who followed it on one connection, when that ends', async () => {
    const release = at().ollama.pulls.hold();
    const socket = await pipelined('other:1b', 3);
    await eventually(async () => expect((await pullsOf(at().app)).pulls[0]).toMatchObject({ watchers: 3 }));
    socket.destroy();
    await eventually(async () => expect((await pullsOf(at().app)).pulls[0]).toMatchObject({ watchers: 0 }));
    release();
    await eventually(async () => expect((await pullsOf(at().app)).pulls[0]).toMatchObject({ state: 'done' }));
  });

  it('does not wait for a client that takes nothing', async () => {
    const release = at().ollama.pulls.hold();
    const socket = await pipelined('other:1b');
    await eventually(async () =>
      expect((await pullsOf(at().app)).pulls[0]).toMatchObject({ name: 'other:1b', watchers: 1 }),
    );
    release();
    await eventually(async () => expect((await pullsOf(at().app)).pulls[0]).toMatchObject({ state: 'done' }));
    socket.destroy();
  });

  it('beyond the limit is 429', async () => {
    const release = at().ollama.pulls.hold();
    const first = await following(at().app, 'new:1b');
    const refused = await pull(at().app, 'other:1b');
    expectProblem(refused, 429, 'MODEL_PULLS_TOO_MANY');
    expect(refused.headers.get('retry-after')).toBe('30');
    release();
    while (await first.next());
  });

  it.each<[PullMood, number, string]>([
    ['error', 502, 'MODELS_BAD_ANSWER'],
    ['cut-off', 503, 'MODELS_UNAVAILABLE'],
    ['malformed-line', 502, 'MODELS_BAD_ANSWER'],
    ['huge-line', 502, 'MODELS_BAD_ANSWER'],
    ['error-line', 502, 'MODEL_PULL_FAILED'],
  ])('that fails soon with %s is a problem: %d %s', async (mood, status, code) => {
    // From the first line about a layer on the answer has begun: those that get so far may be told in either way.
    at().ollama.pulls.mood = mood;
    const answer = await pull(at().app, 'new:1b');
    if (answer.status === 200) expect(linesOf(answer).at(-1)).toMatchObject({ status: 'failed', code });
    else expectProblem(answer, status, code);
    expect(answer.text).not.toMatch(/10\.0\.0\.3|permission|127\.0\.0\.1/);
  });

  it('that fails when the answer has begun says so in its last line', async () => {
    const release = at().ollama.pulls.hold();
    at().ollama.pulls.mood = 'error-line';
    const watch = await following(at().app, 'new:1b');
    await untilHeld(watch);
    release();
    expect(await watch.next()).toEqual({
      ...{ status: 'failed', digest: null, total: null, completed: null, percent: null },
      ...{ code: 'MODEL_PULL_FAILED', detail: 'The provider of the models could not pull this model.' },
    });
    expect(await watch.next()).toBeUndefined();
  });

  it.each<PullMood>(['hang', 'silent'])('of which nothing is heard is given up: %s', async mood => {
    at().ollama.pulls.mood = mood;
    expect(linesOf(await pull(at().app, 'new:1b')).at(-1)).toMatchObject({
      status: 'failed',
      code: 'MODEL_PULL_TIMEOUT',
    });
  });

  it('of a model that nobody has is 404', async () => {
    expectProblem(await pull(at().app, 'no-such:model'), 404, 'MODEL_NOT_FOUND');
    expect((await pullsOf(at().app)).pulls[0]).toMatchObject({
      state: 'failed',
      progress: { status: 'failed', code: 'MODEL_NOT_FOUND' },
    });
  });

  it.each<[string, unknown, string, string]>([
    ['no body', undefined, 'BODY_INVALID', '$'],
    ['a list', [], 'BODY_INVALID', '$'],
    ['no name', {}, 'VALIDATION_FAILED', 'name'],
    ['an empty name', { name: '' }, 'VALIDATION_FAILED', 'name'],
    ['a number', { name: 7 }, 'VALIDATION_FAILED', 'name'],
    ['a path', { name: '../x' }, 'VALIDATION_FAILED', 'name'],
    ['a line feed', { name: 'a\nb' }, 'VALIDATION_FAILED', 'name'],
    ['too long a name', { name: 'a'.repeat(121) }, 'VALIDATION_FAILED', 'name'],
    ['a host of the inside', { name: '10.0.0.1:8080/team/model' }, 'MODEL_HOST_REFUSED', 'name'],
    ['a field too many', { name: 'new:1b', insecure: true }, 'UNKNOWN_FIELD', 'insecure'],
    ['__proto__', '{"name":"new:1b","__proto__":{}}', 'BODY_FORBIDDEN_KEY', '$.__proto__'],
  ])(
    'asked for with %s is refused, and touches neither provider nor cache',
    async (_what, body, code, where) => {
      const [asked, gets] = [at().ollama.asked.length, await reads(at().app)];
      const problem = expectProblem(await at().app.post(`${path}/pull`, body, admin), 400, code);
      expect(problem.errors?.[0]?.path).toBe(where);
      expect([at().ollama.asked.length, await reads(at().app)]).toEqual([asked, gets]);
    },
  );

  it.each([
    ['POST', `${path}/pull`],
    ['GET', `${path}/pulls`],
  ])('is for administrators: %s %s', async (method, where) => {
    const body = method === 'POST' ? { name: 'new:1b' } : undefined;
    expectProblem(await at().app.request(method, where, body), 401, 'AUTH_REQUIRED');
  });

  it('is written into the audit log, and its end too', async () => {
    await pull(at().app, 'new:1b');
    await eventually(async () => {
      const { body } = await at().app.get<{ entries: object[] }>('/api/v1/cache/audit?limit=2', admin);
      expect(body.entries).toMatchObject([
        { action: 'model_pull', target: { model: 'new:1b' }, result: 'done' },
        { action: 'model_pull', target: { model: 'new:1b' }, result: 'job' },
      ]);
    });
  });

  it('ends with the application: who watches is told, and the provider let go', async () => {
    const release = at().ollama.pulls.hold();
    const own = await Application.start({ OLLAMA_URL: at().ollama.url, ADMIN_API_KEYS: key });
    const watch = await following(own, 'new:1b');
    await untilHeld(watch);
    const stopped = own.stop();
    expect(await watch.next()).toMatchObject({ status: 'failed', code: 'MODEL_PULL_ABORTED' });
    expect(await stopped).toEqual({ code: 0, signal: null });
    await eventually(() => expect(at().ollama.pulls.underWay).toBe(0));
    release();
  });
});

describe('two instances on one Redis', () => {
  it('a model that one has pulled is in the next list of the other within two seconds', async () => {
    const [ollama, redis] = await Promise.all([OllamaServer.start(), RedisServer.start()]);
    const env = { OLLAMA_URL: ollama.url, REDIS_URL: redis.url, ADMIN_API_KEYS: key, CACHE_WARMING: 'off' };
    const [a, b] = await Promise.all([Application.start(env), Application.start(env)]);
    await coherent(a, b);
    await Promise.all([a, b].flatMap(app => [namesOf(app), namesOf(app)]));
    await eventually(async () =>
      expect((await b.get(path)).headers.get('cache-status')).toMatch(/detail=l1/),
    );
    // Both know that it is not there.
    for (const app of [a, b]) expectProblem(await app.get(`${path}/new:1b`), 404, 'MODEL_NOT_FOUND');
    expect(linesOf(await pull(a, 'new:1b')).at(-1)).toMatchObject({ status: 'success' });
    const pulledAt = performance.now();
    expect((await a.get(`${path}/new:1b`)).status).toBe(200);
    await eventually(async () => expect((await b.get(`${path}/new:1b`)).status).toBe(200), 2_000);
    expect(await namesOf(a)).toContain('new:1b');
    await eventually(async () => expect(await namesOf(b)).toContain('new:1b'), 2_000);
    expect(performance.now() - pulledAt).toBeLessThan(2_000);
    expect((await pullsOf(b)).pulls).toEqual([]);
    await Promise.all([a, b].map(app => app.stop()));
    await Promise.all([ollama.stop(), redis.stop()]);
  }, 90_000);
});

describe('without a provider', () => {
  it('the list of models is empty and says so, no model is there, and none can be pulled', async () => {
    const app = await Application.start({ ADMIN_API_KEYS: key });
    expect((await app.get('/api/v1/models')).body).toEqual({ models: [], count: 0, provider: null });
    expectProblem(await app.get('/api/v1/models/llama3'), 404, 'MODEL_NOT_FOUND');
    expectProblem(await pull(app, 'llama3'), 503, 'MODELS_NO_PROVIDER');
    expect(await pullsOf(app)).toEqual({ pulls: [], running: 0, max_running: 2 });
    await app.stop();
  });
});
