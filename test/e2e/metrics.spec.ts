import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Application } from './harness/application';
import { problemsOf } from './harness/prometheus-text';

interface Monitoring {
  groups?: { rules: { alert: string; expr: string; annotations: { runbook: string } }[] }[];
  panels?: { targets: { expr: string }[] }[];
}

describe('the metrics', () => {
  let app: Application;
  beforeAll(async () => {
    app = await Application.start();
  });
  afterAll(() => app.stop());

  const scrape = async (): Promise<string> => (await app.get('/metrics')).text;
  const sample = (text: string, series: string): number | undefined => {
    const line = text.split('\n').find(each => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };

  it('are text for Prometheus that nobody may keep, each series once', async () => {
    const { headers, text } = await app.get('/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    expect(headers.get('cache-control')).toBe('no-store');
    const series = text
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(series).size).toBe(series.length);
    for (const line of text.split('\n').filter(each => each !== '' && !each.startsWith('#'))) {
      expect(line).toMatch(
        /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="[^"]*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|NaN|[+-]Inf)$/,
      );
    }
  });

  it('pass what promtool checks', async () => {
    await app.get('/api/v1/agents');
    expect(problemsOf(await scrape())).toEqual([]);
  });

  it('tell of warming', async () => {
    expect((await app.post('/api/v1/cache/warm')).status).toBe(200);
    const text = await scrape();
    expect(sample(text, 'cache_warm_runs_total{trigger="request",state="done"}')).toBeGreaterThan(0);
    expect(sample(text, 'cache_warm_entries_total{outcome="warmed"}')).toBeGreaterThan(0);
    expect(sample(text, 'cache_warm_last_duration_seconds')).toBeGreaterThan(0);
    expect(sample(text, 'cache_warm_ready')).toBe(1);
  });

  it.each(['alerts.yaml', 'grafana-dashboard.json'])(
    'are what config/monitoring/%s asks for, labels included',
    async file => {
      const content = readFileSync(join(__dirname, '../../config/monitoring', file), 'utf8');
      const parsed = (file.endsWith('.json') ? JSON.parse(content) : parse(content)) as Monitoring;
      const expressions =
        parsed.groups?.flatMap(({ rules }) => rules.map(({ expr }) => expr)) ??
        parsed.panels!.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const text = await scrape();
      const metrics = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!));
      expect(expressions.length).toBeGreaterThan(9);
      for (const expr of expressions) {
        const used = [...expr.matchAll(/\b((?:cache|http)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)];
        expect(used.length).toBeGreaterThan(0);
        for (const [, name, matchers = ''] of used) {
          const family = name!.replace(/_bucket$/, '');
          expect([expr, family, metrics.has(family)]).toEqual([expr, family, true]);
          const labels = [...matchers.matchAll(/(\w+)(?:=~|!=|=)/g)].map(([, label]) => label!);
          for (const label of labels.filter(each => each !== 'instance'))
            expect(text).toMatch(new RegExp(`^${name}\\{[^}]*\\b${label}="`, 'm'));
        }
      }
    },
  );

  test('each alert has its place in the operations page, and each place its alert', () => {
    const { groups } = parse(
      readFileSync(join(__dirname, '../../config/monitoring/alerts.yaml'), 'utf8'),
    ) as Monitoring;
    const page = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
    const rules = groups!.flatMap(group => group.rules);
    for (const { alert, annotations } of rules)
      expect([annotations.runbook, page.includes(`\n#### ${alert}\n`)]).toEqual([
        `docs/operations.md#${alert.toLowerCase()}`,
        true,
      ]);
    expect([...page.matchAll(/^#### (Cache\w+)$/gm)].map(([, name]) => name).sort()).toEqual(
      rules.map(({ alert }) => alert).sort(),
    );
  });

  it('agree with the statistics of the cache', async () => {
    await app.get('/api/v1/agents');
    await app.get('/api/v1/agents');
    const { policies } = (
      await app.get<{ policies: Record<string, { outcomes: Record<string, number> }> }>('/api/v1/cache/stats')
    ).body;
    const text = await scrape();
    for (const [policy, { outcomes }] of Object.entries(policies)) {
      for (const [outcome, count] of Object.entries(outcomes)) {
        expect([
          policy,
          outcome,
          sample(text, `cache_requests_total{policy="${policy}",outcome="${outcome}"}`),
        ]).toEqual([policy, outcome, count]);
      }
    }
    expect(sample(text, 'cache_requests_total{policy="api",outcome="l1_hit"}')).toBeGreaterThan(0);
  });

  it('time requests by the template of their route, so that many paths are few series', async () => {
    const before = (await scrape()).split('\n').length;
    await Promise.all(Array.from({ length: 50 }, (_, index) => app.get(`/api/v1/agents/no-such-${index}`)));
    await Promise.all(Array.from({ length: 50 }, (_, index) => app.get(`/nothing/${index}`)));
    const text = await scrape();
    expect(
      sample(
        text,
        'http_request_duration_seconds_count{method="GET",route="/api/v1/agents/:id",status="404"}',
      ),
    ).toBe(50);
    expect(
      sample(text, 'http_request_duration_seconds_count{method="GET",route="unmatched",status="404"}'),
    ).toBe(50);
    expect(text).not.toContain('no-such');
    expect(text.split('\n').length - before).toBeLessThan(80);
  });

  it('are there for people as well, for ten seconds', async () => {
    const { body, headers } = await app.get<{ system: object; performance: { cache: object } }>(
      '/api/v1/metrics',
    );
    expect(headers.get('cache-control')).toBe('public, max-age=10');
    expect(Object.keys(body.system)).toEqual(['cpu', 'memory', 'disk', 'network']);
    expect(body.performance.cache).toMatchObject({
      gets: expect.any(Number),
      hit_rate: expect.any(Number),
      redis_status: 'off',
    });
  });

  it('have a short form: the status in five fields', async () => {
    const { body, headers } = await app.get('/api/v1/status');
    expect(headers.get('cache-control')).toBe('public, max-age=10');
    expect(body).toEqual({
      status: 'healthy',
      cpu_percent: expect.any(Number),
      memory_percent: expect.any(Number),
      version: '2.0.0',
      uptime_seconds: expect.any(Number),
    });
  });
});
