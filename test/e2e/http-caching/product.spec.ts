import { Application } from '../harness/application';
import { parseAnswer, requestText, type RawAnswer } from './raw-http';
import { parseCacheStatus, parseResponseDirectives } from './structured-fields';

/** Every cached route of the product. */
const cachedPaths = [
  '/api/v1/agents',
  '/api/v1/agents?limit=5',
  '/api/v1/agents/ai-agent-orchestrator',
  '/api/v1/models',
  '/api/v1/settings',
  '/api/v1/settings/performance',
  '/api/v1/hardware/health',
  '/api/v1/hardware/status',
  '/api/v1/hardware/metrics',
  '/api/v1/hardware/processes?limit=3',
  '/api/v1/health/detailed',
  '/api/v1/status',
  '/api/v1/metrics',
];

const canaryNames = [
  'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-For', 'X-Forwarded-Prefix', 'X-Forwarded-Server',
  'X-Original-URL', 'X-Rewrite-URL', 'X-Original-Host', 'X-Host', 'Forwarded', 'Origin', 'Referer', 'User-Agent', 'Accept',
  'Accept-Language', 'X-HTTP-Method-Override', 'X-Tenant', 'X-Real-IP', 'True-Client-IP', 'Via', 'From', 'X-Requested-With',
]; // prettier-ignore

describe.each(['on', 'off'])('the product, with CACHE_FAST_PATH %s', fastPath => {
  let app: Application;
  const send = async (line: string, fields: readonly string[] = []): Promise<RawAnswer> =>
    parseAnswer(Buffer.from(await app.raw(requestText(line, fields), 20_000)));

  beforeAll(async () => {
    app = await Application.start({
      CACHE_FAST_PATH: fastPath,
      CACHE_WARMING: 'off',
      ALLOWED_HOSTS: 'localhost,127.0.0.1',
      NODE_ENV: 'test',
    });
  }, 60_000);
  afterAll(() => app.stop());

  it('H35: all cached routes run under the detector of unkeyed inputs, and read nothing else', async () => {
    for (const path of cachedPaths) {
      const answers = [await send(`GET ${path}`), await send(`GET ${path}`), await send(`GET ${path}`)];
      for (const answer of answers) {
        expect([path, answer.status]).toEqual([path, 200]);
        parseCacheStatus(answer.field('cache-status')!);
        parseResponseDirectives(answer.field('cache-control')!);
      }
      expect([path, answers[0]!.field('cache-status')]).toEqual([path, 'sutazai; fwd=uri-miss; stored']);
      for (const hit of answers.slice(1)) {
        expect([path, hit.field('cache-status')]).toEqual([
          path,
          expect.stringMatching(/^sutazai; (hit|fwd=uri-miss)/),
        ]);
        expect(hit.field('x-request-id')).not.toBe(answers[0]!.field('x-request-id'));
        for (const name of ['content-security-policy', 'x-content-type-options', 'x-frame-options'])
          expect([path, name, hit.field(name)]).toEqual([path, name, answers[0]!.field(name)]);
      }
    }
    expect(app.output).not.toContain('CACHE_UNKEYED_INPUT');
  });

  it('H08: what a proxy or an attacker adds is in no answer', async () => {
    const canaries = canaryNames.map(name => `${name}: canary.example`);
    for (const path of ['/api/v1/agents?limit=7', '/api/v1/settings/features', '/api/v1/models'])
      for (let n = 0; n < 3; n += 1) {
        const answer = await send(`GET ${path}`, n === 0 ? canaries : []);
        expect([
          path,
          answer.status,
          JSON.stringify([answer.fields, answer.text]).includes('canary'),
        ]).toEqual([path, 200, false]);
      }
  });

  it.each([
    '/api/v1/settings/x.css',
    '/api/v1/settings;.css',
    '/api/v1/settings%2fx.css',
    '/api/v1/settings%00.css',
    '/api/v1/settings%23',
    '/api/v1/cache/audit/x.css',
    '/static/..%2fapi/v1/settings',
    '/api/v1/settings/../cache/stats.css',
  ])(
    'H11: %s is nothing that a cache in front of us could keep: the route decides, never the path',
    async path => {
      const answer = await send(`GET ${path}`);
      expect([path, answer.status >= 400, answer.field('cache-control')]).toEqual([path, true, 'no-store']);
    },
  );

  it('H13: another host gets 421, also in the absolute form, and nothing of it is stored', async () => {
    for (const [line, host] of [
      ['GET /api/v1/agents?limit=9', 'Host: evil.example'],
      ['GET http://evil.example/api/v1/agents?limit=9', 'Host: localhost'],
    ] as const) {
      const answer = await send(line, [host]);
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        421,
        expect.objectContaining({ code: 'MISDIRECTED_REQUEST' }),
      ]);
    }
    expect((await send('GET /api/v1/agents?limit=9')).field('cache-status')).toBe(
      'sutazai; fwd=uri-miss; stored',
    );
    const absolute = await send('GET http://localhost/api/v1/agents?limit=9', ['Host: evil.example']);
    expect([absolute.status, absolute.field('cache-status')]).toEqual([
      200,
      expect.stringMatching(/; hit; /),
    ]);
  });

  it('H01: an admin key is a credential: nothing is served or stored for its bearer', async () => {
    for (const field of ['X-API-Key: whatever', 'Authorization: Bearer whatever', 'Cookie: a=b']) {
      const answer = await send('GET /api/v1/settings', [field]);
      expect([answer.field('cache-status'), answer.field('cache-control')]).toEqual([
        expect.stringMatching(/^sutazai; fwd=bypass; detail=(authorization|cookie)$/),
        'private, no-store',
      ]);
    }
  });

  it('H27: Cache-Status tells how an answer came about, and nothing of the key (RFC 9211)', async () => {
    for (const path of ['/api/v1/agents?limit=13', '/api/v1/agents/ai-agent-orchestrator']) {
      for (const fields of [[], [], ['Cookie: a=b']]) {
        const text = (await send(`GET ${path}`, fields)).field('cache-status')!;
        expect([...parseCacheStatus(text).keys()]).not.toContain('key');
        expect(text).not.toMatch(/limit|orchestrator/);
      }
    }
  });

  it('H32: probes, scrapes and admin routes are never answered from the store', async () => {
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics', '/api/v1/settings/history']) {
      const answer = await send(`GET ${path}`);
      expect([path, answer.field('cache-status'), answer.field('cache-control')]).toEqual([
        path,
        undefined,
        'no-store',
      ]);
    }
  });

  it('counts and labels hits of either way alike', async () => {
    const count = async (): Promise<number> => {
      const text = (await send('GET /metrics')).text;
      const line = text
        .split('\n')
        .find(
          each =>
            /_count\{/.test(each) &&
            each.includes('route="/api/v1/settings"') &&
            each.includes('status="200"'),
        );
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    await send('GET /api/v1/settings');
    const before = await count();
    for (let n = 0; n < 4; n += 1) await send('GET /api/v1/settings');
    expect(await count()).toBe(before + 4);
  });

  it('takes the tag of a compressed representation as If-Match', async () => {
    const settings = await send('GET /api/v1/settings', ['Accept-Encoding: br']);
    const version = settings.field('etag')!.replace(/^"(\d+).*"$/, '$1');
    const answer = await app.request(
      'PATCH',
      '/api/v1/settings',
      { performance: { agents_page_size: 33 } },
      { 'If-Match': `"${version}-br"` },
    );
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, `"${Number(version) + 1}"`]);
    expect((await send('GET /api/v1/settings')).field('etag')).toBe(`"${Number(version) + 1}"`);
  });
});
