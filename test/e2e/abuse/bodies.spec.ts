import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Application } from '../harness/application';
import { expectProblem, parseAnswer } from '../harness/problem';

const invalidate = '/api/v1/cache/invalidate';

describe('bodies', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start({ HTTP_REQUEST_TIMEOUT_MS: '2000' });
  }, 60_000);
  afterAll(() => app.stop());

  const head = (...lines: string[]): string =>
    [
      `POST ${invalidate} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      ...lines,
      '',
      '',
    ].join('\r\n');

  it.each([
    ['no Content-Type', ''],
    ['text/plain', 'text/plain'],
    ['xml', 'application/xml'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['JSON in UTF-7', 'application/json; charset=utf-7'],
    ['two types', 'text/plain, application/json'],
  ])('B09: a body with %s is not read', async (_what, type) => {
    expectProblem(
      await app.post(invalidate, '["api"]', { 'Content-Type': type }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
  });

  it('B09: where no body is needed none has to be declared', async () => {
    const bare = await app.raw(
      'POST /api/v1/cache/clear?confirm=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expect(parseAnswer(bare).status).toBe(200);
    expect(
      (await app.post('/api/v1/cache/clear?confirm=true', undefined, { 'Content-Type': 'text/plain' }))
        .status,
    ).toBe(200);
  });

  it.each(['image/png', 'text/html', 'application/xml;q=1, */*;q=0', 'nonsense', ''])(
    'B11: Accept: %s is ignored, for answers and for errors alike',
    async accept => {
      const stats = await app.get('/api/v1/cache/stats', { Accept: accept });
      expect([stats.status, stats.headers.get('content-type')]).toEqual([
        200,
        'application/json; charset=utf-8',
      ]);
      expectProblem(await app.get('/api/v1/cache/nothing', { Accept: accept }), 404, 'NOT_FOUND');
    },
  );

  it.each([
    ['malformed', '{"tags":'],
    ['with a byte order mark', '\ufeff["api"]'],
    ['with a trailing comma', '["api",]'],
    ['with a NUL', '["a\0"]'],
    ['a lone quote', '"'],
    ['two documents', '["a"]["b"]'],
    ['NaN', 'NaN'],
    ['a comment', '["api"] // all'],
  ])('B12: JSON that is %s', async (_what, body) => {
    const problem = expectProblem(await app.post(invalidate, body), 400, 'BODY_INVALID_JSON');
    expect(problem.detail).toBe('The body is not JSON in UTF-8.');
  });

  it.each([undefined, 'null', '[]', '"x"', '42', 'true'])('B13: the body %s', async body => {
    expect(expectProblem(await app.post(invalidate, body), 400, 'BODY_INVALID').errors).toEqual([
      { path: '$', code: 'BODY_INVALID', message: expect.any(String) },
    ]);
  });

  it('B14: 257 KiB, announced or not, are refused and the connection is closed', async () => {
    const body = `["${'x'.repeat(257 * 1_024)}"]`;
    const answer = await app.post(invalidate, body);
    expectProblem(answer, 413, 'BODY_TOO_LARGE');
    expect(answer.headers.get('connection')).toBe('close');
    expect((await app.post(invalidate, `["${'x'.repeat(250 * 1_024)}"]`)).body['code']).toBe('TAG_INVALID');
  });

  it('B14: what inflates to 5 MB is refused by that size', async () => {
    const zipped = gzipSync(`["${'x'.repeat(5_000_000)}"]`);
    const answer = await app.post(invalidate, zipped, { 'Content-Encoding': 'gzip' });
    expectProblem(answer, 413, 'BODY_TOO_LARGE');
  });

  it('B14: a Content-Length over the limit is refused before anything is read', async () => {
    const answer = parseAnswer(await app.raw(head('Content-Length: 1000000000') + '["a"]'));
    expectProblem(answer, 413, 'BODY_TOO_LARGE');
  });

  it('B14: a Content-Length that promises more than comes is a 408 when the time is over', async () => {
    const raw = await app.raw(head('Content-Length: 100') + '["a"]', 20_000);
    expect(raw).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"REQUEST_TIMEOUT"/);
    expect(raw).toMatch(/\r\nConnection: close\r\n/);
    expect(raw.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('B14: a Content-Length that promises less leaves nothing over to be taken for a request', async () => {
    const raw = await app.raw(head('Content-Length: 7', 'Connection: keep-alive') + '["api"]{"smuggled":1}');
    expect(raw).toMatch(/HTTP\/1\.1 400 [^]*"code":"REQUEST_MALFORMED"[^]*$/);
    expect(raw).not.toContain('smuggled');
  });

  it('B14: chunks without end are cut off at the limit', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      let sent = 0;
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      const socket = connect(app.port, '127.0.0.1', () => {
        socket.write(head('Transfer-Encoding: chunked'));
        const more = (): void => {
          while (!socket.destroyed && socket.writable && sent < 64_000_000) {
            sent += chunk.length;
            if (!socket.write(chunk)) return void socket.once('drain', more);
          }
        };
        more();
      });
      socket.on('data', (data: Buffer) => (text += data.toString('utf8')));
      socket.on('error', () => socket.destroy()); // it is closed under what is still being sent
      socket.on('close', () =>
        sent < 64_000_000 ? resolve(text) : reject(new Error('everything was taken')),
      );
    });
    // The refusal may be lost with the connection; that it is closed may not.
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"BODY_TOO_LARGE"/);
    expect((await app.get('/health/live')).status).toBe(200);
  });

  it.each([33, 1_000, 40_000, 100_000])('B15: %i levels', async levels => {
    expectProblem(await app.post(invalidate, '['.repeat(levels) + ']'.repeat(levels)), 400, 'BODY_TOO_DEEP');
    const objects = '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
    if (objects.length < 256 * 1_024)
      expectProblem(await app.post(invalidate, objects), 400, 'BODY_TOO_DEEP');
  });

  it.each([
    '{"__proto__":{"x":1}}',
    '{"tags":["a"],"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '{"\\u005f_proto__":{"x":1}}',
    '[{"prototype":1}]',
  ])('B16: %s is refused, and pollutes nothing', async body => {
    expectProblem(await app.post(invalidate, body), 400, 'BODY_FORBIDDEN_KEY');
    expectProblem(await app.post('/api/v1/cache/warm', body), 400, 'BODY_FORBIDDEN_KEY');
    // A polluted prototype would give every later body a field.
    expectProblem(await app.post(invalidate, '{}'), 400, 'KEYS_REQUIRED');
    expect((await app.post(invalidate, ['api'])).status).toBe(200);
  });

  it.each([
    [invalidate, { tags: ['a'], pattern: '*' }, 'pattern'],
    [invalidate, { keys: ['a'], ttl: 60 }, 'ttl'],
    ['/api/v1/cache/warm', { category: 'agents' }, 'category'],
    ['/api/v1/admin/keys', { name: 'a', scopes: ['cache:read'], id: '1' }, 'id'],
  ])('B17, B33: an unknown field of %s is refused with its path', async (path, body, field) => {
    expect(expectProblem(await app.post(path, body), 400, 'UNKNOWN_FIELD').errors).toEqual([
      expect.objectContaining({ path: field, code: 'UNKNOWN_FIELD' }),
    ]);
  });

  it.each([
    ['two lengths', 'Content-Length: 7\r\nContent-Length: 8'],
    ['two lengths in one line', 'Content-Length: 7, 8'],
    ['a length and chunks', 'Content-Length: 7\r\nTransfer-Encoding: chunked'],
    ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 7'],
    ['chunks that are not the last encoding', 'Transfer-Encoding: chunked, identity'],
    ['a length with a sign', 'Content-Length: +7'],
    ['a length in hex', 'Content-Length: 0x7'],
    ['a space before the colon', 'Content-Length : 7'],
    ['a folded header', 'X-A: b\r\n c\r\nContent-Length: 7'],
    ['a line feed alone', 'X-A: b\nContent-Length: 7'],
  ])('B50: %s is a 400, and the connection is closed', async (_what, lines) => {
    const raw = await app.raw(head(lines) + '["api"]\r\n0\r\n\r\n');
    expect(raw).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"code":"REQUEST_MALFORMED"/);
    expect(raw).toMatch(/\r\nConnection: close\r\n/);
    expect(raw.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});
