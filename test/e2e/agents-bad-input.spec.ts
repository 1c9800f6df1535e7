import { Application, type Answer } from './harness/application';
import { expectUntouched, lookupsOf, touchesOf } from './harness/counts';
import { expectProblem } from './harness/problem';

const path = '/api/v1/agents';
const agent = `${path}/security-scanner`;
const settings = '/api/v1/settings';
const anyVersion = { 'If-Match': '*' };

let app: Application;
beforeAll(async () => {
  app = await Application.start({ CACHE_WARMING: 'off' });
});
afterAll(() => app.stop());

const touches = (): Promise<Record<string, number>> => touchesOf(app);

type Case = [what: string, send: () => Promise<Answer>, code: string, where: string | undefined];
// Every series is there from the first request of its policy on.
beforeAll(async () => {
  for (const url of [path, agent, settings]) await app.get(url);
});
const name = 'Never made';
const type = 'test';

const cases: Case[] = [
  // Queries of the list.
  ...(
    [
      ['status=dead', 'VALIDATION_FAILED', 'status'],
      ['status=', 'VALIDATION_FAILED', 'status'],
      ['capability=Upper', 'VALIDATION_FAILED', 'capability'],
      ['capability=', 'VALIDATION_FAILED', 'capability'],
      [`capability=${'x'.repeat(65)}`, 'VALIDATION_FAILED', 'capability'],
      ['limit=0', 'VALIDATION_FAILED', 'limit'],
      ['limit=-1', 'VALIDATION_FAILED', 'limit'],
      ['limit=1001', 'VALIDATION_FAILED', 'limit'],
      // Above the setting, below what the setting can be.
      ['limit=201', 'VALIDATION_FAILED', 'limit'],
      ['limit=1000', 'VALIDATION_FAILED', 'limit'],
      ['limit=1e2', 'VALIDATION_FAILED', 'limit'],
      ['limit=1.5', 'VALIDATION_FAILED', 'limit'],
      ['limit=0x10', 'VALIDATION_FAILED', 'limit'],
      ['limit=', 'VALIDATION_FAILED', 'limit'],
      ['limit=99999999999999999999', 'VALIDATION_FAILED', 'limit'],
      ['cursor=', 'VALIDATION_FAILED', 'cursor'],
      ['cursor=%3D%3D', 'VALIDATION_FAILED', 'cursor'],
      [`cursor=${'a'.repeat(601)}`, 'VALIDATION_FAILED', 'cursor'],
      ['cursor=aaaa', 'CURSOR_INVALID', 'cursor'],
      ['page=2', 'UNKNOWN_FIELD', 'page'],
      ['toString=1', 'UNKNOWN_FIELD', 'toString'],
      ['__proto__=1', 'UNKNOWN_FIELD', '__proto__'],
      ['limit=5&constructor=1', 'UNKNOWN_FIELD', 'constructor'],
      ['limit=1&limit=2', 'QUERY_DUPLICATE', 'limit'],
      ['status[]=healthy', 'QUERY_INVALID', 'status[]'],
      ['limit[a]=1', 'QUERY_INVALID', 'limit[a]'],
    ] as const
  ).map(([query, code, where]): Case => [`GET ?${query}`, () => app.get(`${path}?${query}`), code, where]),
  // Bodies of each write.
  ...(
    [
      ['null', 'BODY_INVALID', '$'],
      ['[]', 'BODY_INVALID', '$'],
      ['"x"', 'BODY_INVALID', '$'],
      ['42', 'BODY_INVALID', '$'],
      ['{', 'BODY_INVALID_JSON', undefined],
      ['{"a":1,}', 'BODY_INVALID_JSON', undefined],
      ['{"__proto__":{"x":1}}', 'BODY_FORBIDDEN_KEY', undefined],
      ['{"constructor":{"prototype":{}}}', 'BODY_FORBIDDEN_KEY', undefined],
    ] as const
  ).flatMap(([body, code, where]): Case[] => [
    [`POST ${body}`, () => app.post(path, body), code, where],
    [`PATCH ${body}`, () => app.patch(agent, body, anyVersion), code, where],
    [`POST heartbeat ${body}`, () => app.post(`${agent}/heartbeat`, body), code, where],
  ]),
  // Fields.
  ...(
    [
      [{ name: '' }, 'VALIDATION_FAILED', 'name'],
      [{ name: ' ' }, 'VALIDATION_FAILED', 'name'],
      [{ name: ' \u00a0\u2003\u3000' }, 'VALIDATION_FAILED', 'name'],
      [{ name: '\u200b\u2060\ufe0f' }, 'VALIDATION_FAILED', 'name'],
      [{ name: '\u3164\u2800' }, 'VALIDATION_FAILED', 'name'],
      [{ name: 'x'.repeat(101) }, 'VALIDATION_FAILED', 'name'],
      [{ name: 'a\u0000' }, 'VALIDATION_FAILED', 'name'],
      [{ name: 'a\u001bb' }, 'VALIDATION_FAILED', 'name'],
      [{ name: 'a\u202eb' }, 'VALIDATION_FAILED', 'name'],
      [{ name: 'a\ud800' }, 'VALIDATION_FAILED', 'name'],
      [{ name: { a: 1 } }, 'VALIDATION_FAILED', 'name'],
      [{ type: 'Upper' }, 'VALIDATION_FAILED', 'type'],
      [{ status: 'dead' }, 'VALIDATION_FAILED', 'status'],
      [{ capabilities: {} }, 'VALIDATION_FAILED', 'capabilities'],
      [{ capabilities: ['A'] }, 'VALIDATION_FAILED', 'capabilities'],
      [{ url: 'file:///etc/passwd' }, 'VALIDATION_FAILED', 'url'],
      [{ url: 'http://user:secret@host/' }, 'VALIDATION_FAILED', 'url'],
      [{ url: `http://${'a'.repeat(2_050)}/` }, 'VALIDATION_FAILED', 'url'],
      [{ description: 'nul \u0000' }, 'VALIDATION_FAILED', 'description'],
      [{ description: 'half \ud800' }, 'VALIDATION_FAILED', 'description'],
      [{ version: 1 }, 'UNKNOWN_FIELD', 'version'],
      [{ token: 'x' }, 'UNKNOWN_FIELD', 'token'],
      [{ last_seen_at: '2026-01-01T00:00:00Z' }, 'UNKNOWN_FIELD', 'last_seen_at'],
      [{ toString: 1 }, 'UNKNOWN_FIELD', 'toString'],
      [{ hasOwnProperty: 1 }, 'UNKNOWN_FIELD', 'hasOwnProperty'],
    ] as const
  ).flatMap(([fields, code, where]): Case[] => [
    [
      `POST ${JSON.stringify(fields).slice(0, 40)}`,
      () => app.post(path, { name, type, ...fields }),
      code,
      where,
    ],
    [`PATCH ${JSON.stringify(fields).slice(0, 40)}`, () => app.patch(agent, fields, anyVersion), code, where],
  ]),
  ['POST without a body', () => app.post(path), 'BODY_INVALID', '$'],
  ['PATCH of nothing', () => app.patch(agent, {}, anyVersion), 'VALIDATION_FAILED', '$'],
  ['PATCH of an id', () => app.patch(agent, { id: 'other' }, anyVersion), 'UNKNOWN_FIELD', 'id'],
  [
    'POST heartbeat offline',
    () => app.post(`${agent}/heartbeat`, { status: 'offline' }),
    'VALIDATION_FAILED',
    'status',
  ],
  ['POST heartbeat at', () => app.post(`${agent}/heartbeat`, { at: 1 }), 'UNKNOWN_FIELD', 'at'],
  // What is not declared.
  ['POST ?dry_run', () => app.post(`${path}?dry_run=true`, { name, type }), 'UNKNOWN_FIELD', 'dry_run'],
  ['POST token with a field', () => app.post(`${agent}/token`, { unknown: 1 }), 'UNKNOWN_FIELD', 'unknown'],
  ['DELETE with a list', () => app.request('DELETE', agent, '[]'), 'BODY_INVALID', '$'],
  // Preconditions.
  ['PATCH If-Match 3', () => app.patch(agent, { type }, { 'If-Match': '3' }), 'IF_MATCH_INVALID', 'If-Match'],
];

describe('bad input is refused with its place, and asks neither database nor cache', () => {
  it.each(cases)('%s', async (_what, send, code, where) => {
    await expectUntouched(touches, async () => {
      const problem = expectProblem(await send(), 400, code);
      if (where !== undefined) expect(problem.errors?.map(error => error.path)).toContain(where);
    });
  });

  it.each(['NOT-LOWER', '-a', 'a_b', 'x'.repeat(64), '%00', '..%2fsettings', 'a%20b', '%ED%A0%80'])(
    'an id that no agent can have is a 404 or a 400, and asks neither: %s',
    async id => {
      const url = `${path}/${id}`;
      await expectUntouched(
        () => lookupsOf(app),
        async () => {
          for (const answer of [
            await app.get(url),
            await app.patch(url, { type }, anyVersion),
            await app.post(`${url}/heartbeat`),
            await app.post(`${url}/token`),
          ])
            expect([400, 404]).toContain(answer.status);
        },
      );
    },
  );

  it('a limit above the setting in force, also where a page of that size was cached, and on the fast way', async () => {
    const setMax = async (agents_max_page_size: number): Promise<void> => {
      const { status } = await app.patch(settings, { performance: { agents_max_page_size } }, anyVersion);
      expect(status).toBe(200);
    };
    const wide = `${path}?limit=300`;
    await setMax(300);
    // The second hit is the fast way's: the first one has shown it where the target leads.
    for (let hit = 0; hit < 4; hit += 1) expect((await app.get(wide)).status).toBe(200);
    await setMax(200);
    await expectUntouched(touches, async () => {
      const { errors } = expectProblem(await app.get(wide), 400, 'VALIDATION_FAILED');
      expect(errors).toEqual([
        { path: 'limit', code: 'MAX', message: 'must be a whole number from 1 to 200' },
      ]);
    });
  });

  it('a PATCH without If-Match is a 428 before anything is asked', async () => {
    await expectUntouched(touches, async () => {
      expectProblem(await app.patch(agent, { type }), 428, 'PRECONDITION_REQUIRED');
    });
  });

  it('is a 415 or a 413 where the body is of another kind or too long', async () => {
    await expectUntouched(touches, async () => {
      for (const [method, url] of [
        ['POST', path],
        ['PATCH', agent],
        ['POST', `${agent}/heartbeat`],
      ] as const) {
        const text = await app.request(method, url, 'a=b', { 'Content-Type': 'text/plain', ...anyVersion });
        expectProblem(text, 415, 'UNSUPPORTED_MEDIA_TYPE');
        const long = await app.request(method, url, `{"name":"${'x'.repeat(300_000)}"}`, anyVersion);
        expectProblem(long, 413, 'BODY_TOO_LARGE');
      }
    });
  });

  it('and other methods are a 405', async () => {
    for (const [method, url] of [
      ['PUT', agent],
      ['DELETE', path],
      ['GET', `${agent}/heartbeat`],
      ['GET', `${agent}/token`],
      ['DELETE', `${agent}/token`],
    ] as const)
      expectProblem(await app.request(method, url), 405, 'METHOD_NOT_ALLOWED');
  });
});
