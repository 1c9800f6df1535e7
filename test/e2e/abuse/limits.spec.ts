import { connect, type Socket } from 'node:net';
import { type Answer, Application } from '../harness/application';
import { eventually } from '../harness/eventually';
import { PostgresServer } from '../harness/postgres-server';
import { expectProblem, parseAnswer } from '../harness/problem';

const [one, two] = ['first-Key.of_this~Test-0123456789!', 'second-Key.of_this~Test-9876543210!'];
const proxy = '127.1.0.1';
const path = '/api/v1/cache/clear/none';

describe('limits of requests', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({
      ADMIN_API_KEYS: `${one},${two}`,
      RATE_LIMIT: '100',
      TRUSTED_PROXIES: `${proxy},10.0.0.0/8`,
    });
  }, 60_000);
  afterAll(() => app.stop());

  /** A request from an address of its own: each test has its addresses, because what is counted stays for a minute. */
  const from = async (address: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return parseAnswer(await app.raw(`GET ${path} HTTP/1.1\r\n${head}\r\n`, 10_000, address));
  };
  const wrong = { 'X-API-Key': 'wrong-Key.of_this~Test-0123456789!' };

  it('B08: the 101st request of a credential in a minute is a 429, from wherever it comes, and another one’s first is not', async () => {
    for (let n = 0; n < 100; n += 1)
      expect((await from(n % 2 === 0 ? '127.0.1.1' : '127.0.1.2', { 'X-API-Key': one })).status).toBe(400);
    const problem = expectProblem(
      await from('127.0.1.3', { 'X-API-Key': one, 'X-Forwarded-For': '203.0.113.1' }),
      429,
      'RATE_LIMITED',
    );
    expect(problem.detail).toMatch(/^Try again in \d+ s\.$/);
    expect((await from('127.0.1.1', { 'X-API-Key': two })).status).toBe(400);
  }, 60_000);

  it('B08: without credentials the address is limited, and a forwarded one is nothing but a text', async () => {
    for (let n = 0; n < 100; n += 1)
      expectProblem(await from('127.0.2.1', { 'X-Forwarded-For': `203.0.113.${n}` }), 401, 'AUTH_REQUIRED');
    const answer = await from('127.0.2.1', {
      'X-Forwarded-For': '198.51.100.1',
      Forwarded: 'for=198.51.100.1',
    });
    expectProblem(answer, 429, 'RATE_LIMITED');
    const retryAfter = Number(answer.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expectProblem(await from('127.0.2.2'), 401, 'AUTH_REQUIRED');
  }, 60_000);

  it('B08: the 11th failed login of an address is a 429; a right key is nobody’s guess, and other addresses go on', async () => {
    for (let n = 0; n < 10; n += 1)
      expectProblem(
        await from('127.0.3.1', { ...wrong, 'X-Forwarded-For': `203.0.113.${n}` }),
        401,
        'AUTH_INVALID',
      );
    expectProblem(await from('127.0.3.1', wrong), 429, 'RATE_LIMITED');
    expect((await from('127.0.3.1', { 'X-API-Key': two })).status).toBe(400);
    expectProblem(await from('127.0.3.2', wrong), 401, 'AUTH_INVALID');
    expect((await from('127.0.3.2', { 'X-API-Key': two })).status).toBe(400);
  });

  it('B08: of fifty guesses at once ten are told that they were wrong', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => from('127.0.4.1', wrong)));
    const count = (status: number): number => answers.filter(answer => answer.status === status).length;
    expect({ wrong: count(401), limited: count(429) }).toEqual({ wrong: 10, limited: 40 });
  });

  it('B08: behind a trusted proxy clients are told apart by what it appended, not by what they sent', async () => {
    for (let n = 0; n < 10; n += 1) {
      const forwarded = { 'X-Forwarded-For': `198.51.100.${n}, 203.0.113.1, 10.1.2.3` };
      expectProblem(await from(proxy, { ...wrong, ...forwarded }), 401, 'AUTH_INVALID');
    }
    const same = { 'X-Forwarded-For': '192.0.2.7, 203.0.113.1' };
    expectProblem(await from(proxy, { ...wrong, ...same }), 429, 'RATE_LIMITED');
    const other = { 'X-Forwarded-For': '203.0.113.1, 203.0.113.2' };
    expectProblem(await from(proxy, { ...wrong, ...other }), 401, 'AUTH_INVALID');
  });

  it('B08: what is counted can be seen', async () => {
    const { text } = await app.get('/metrics');
    const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
    expect(value('admin_rate_limit_tracked')).toBeGreaterThan(3);
    expect(value('admin_rate_limit_dropped_total')).toBe(0);
    expect(value('admin_requests_total{outcome="rate_limited"}')).toBeGreaterThan(3);
    expect(value('admin_requests_total{outcome="wrong_key"}')).toBeGreaterThan(9);
  });

  it('reads are nobody’s login: they are not limited', async () => {
    for (let n = 0; n < 120; n += 1) expect((await app.get('/api/v1/cache/policies')).status).toBe(200);
  }, 60_000);
});

describe('limits of time and of connections', () => {
  let postgres: PostgresServer;
  let database: string;
  let app: Application;
  const sockets = new Set<Socket>();
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    database = await postgres.createDatabase('limits');
    app = await Application.start({
      DATABASE_URL: database,
      DATABASE_STATEMENT_TIMEOUT_MS: '60000',
      HTTP_HEADERS_TIMEOUT_MS: '1500',
      HTTP_REQUEST_TIMEOUT_MS: '3000',
      HTTP_HANDLER_TIMEOUT_MS: '5000',
      HTTP_MAX_CONNECTIONS: '200',
      HTTP_MAX_REQUESTS_PER_SOCKET: '5',
    });
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await app.stop();
    await postgres.stop();
  });
  /** A connection that says a little and then nothing; resolves to what came back until it was closed. */
  const idle = (text: string): { connected: Promise<void>; closed: Promise<string> } => {
    const socket = connect(app.port, '127.0.0.1');
    sockets.add(socket);
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString('utf8')));
    socket.on('error', () => socket.destroy()); // closed from the other side
    const connected = new Promise<void>(resolve =>
      socket.once('connect', () => (socket.write(text), resolve())),
    );
    const closed = new Promise<string>(resolve =>
      socket.once('close', () => (sockets.delete(socket), resolve(answer))),
    );
    return { connected, closed };
  };

  it.each([
    ['a head that does not end', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-A: '],
    [
      'a body that does not come',
      'POST /api/v1/cache/invalidate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n["',
    ],
    [
      'a chunk that does not end',
      'POST /api/v1/cache/invalidate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n["',
    ],
  ])('B48: %s is a 408, and the connection is closed', async (_what, text) => {
    const answer = await idle(text).closed;
    expect(answer).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"REQUEST_TIMEOUT"/);
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
  });

  it('B48: a connection that says nothing is closed', async () => {
    const answer = await idle('').closed;
    expect(answer === '' || answer.startsWith('HTTP/1.1 408 ')).toBe(true);
  });

  it('B48: a hundred slow ones hold up nobody', async () => {
    const slow = Array.from({ length: 100 }, () => idle('GET / HTTP/1.1\r\nHost: loc'));
    await Promise.all(slow.map(one => one.connected));
    for (let n = 0; n < 20; n += 1) expect((await app.get('/health/live')).status).toBe(200);
    for (const answer of await Promise.all(slow.map(one => one.closed)))
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('B48: connections past the limit are closed at once, and there is room again afterwards', async () => {
    const many = Array.from({ length: 400 }, () => idle('GET / HTTP/1.1\r\nHost: loc'));
    const answers = await Promise.all(many.map(one => one.closed));
    const refused = answers.filter(answer => answer === '').length;
    expect(refused).toBeGreaterThanOrEqual(200);
    expect(answers.length - refused).toBeGreaterThan(100);
    await eventually(async () => expect((await app.get('/health/live')).status).toBe(200));
  });

  it('B48: a kept connection is told to end with its fifth request, and answers no sixth', async () => {
    const get = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const answer = await app.raw(get.repeat(6));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([
      ...Array<string>(5).fill('HTTP/1.1 200'),
      'HTTP/1.1 503',
    ]);
    expect(answer.match(/Connection: keep-alive/g)).toHaveLength(4);
  });

  it('a handler that does not come to an end in time is a 503, and what it says later is dropped', async () => {
    const lock = `BEGIN; LOCK TABLE agents; SELECT pg_sleep(9); COMMIT`;
    const locked = postgres.query(lock, [], database);
    await eventually(async () => {
      const rows = await postgres.query(
        `SELECT 1 FROM pg_locks WHERE relation = 'agents'::regclass AND mode = 'AccessExclusiveLock' AND granted`,
        [],
        database,
      );
      expect(rows).toHaveLength(1);
    });
    const answer = await app.post('/api/v1/agents', { name: 'slow', type: 'slow' });
    expectProblem(answer, 503, 'HANDLER_TIMEOUT');
    expect(answer.headers.get('connection')).toBe('close');
    await locked;
    await eventually(async () => expect((await app.get('/api/v1/agents?limit=1')).status).toBe(200));
    expect(app.output).not.toMatch(/ERR_HTTP_HEADERS_SENT|"level":(50|60)/);
  }, 60_000);
});
