import { isDeepStrictEqual } from 'node:util';
import type { Application } from './application';

/** What an instance has asked of its database and of its cache, to show what a request did not ask. */
export interface Counts {
  queries: number;
  gets: number;
  entries: number;
}

export async function countsOf(app: Application): Promise<Counts> {
  const [metrics, stats] = await Promise.all([
    app.get('/metrics'),
    app.get<{ gets: number; local_cache_size: number }>('/api/v1/cache/stats'),
  ]);
  return {
    queries: metricOf(metrics.text, 'database_queries_total'),
    gets: stats.body.gets,
    entries: stats.body.local_cache_size,
  };
}

/** One value of the text for Prometheus; 0 when it is not there. */
export function metricOf(text: string, series: string): number {
  const line = text.split('\n').find(each => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** Series that count what the database and the cache were asked. */
export async function touchesOf(app: Application): Promise<Record<string, number>> {
  const { text } = await app.get('/metrics');
  const series = text
    .split('\n')
    .filter(line =>
      /^cache_(requests|misses|sets|invalidations|loads|tier_hits|tier_misses)_total/.test(line),
    )
    .map(line => line.slice(0, line.lastIndexOf(' ')));
  expect(series.length).toBeGreaterThan(0);
  return Object.fromEntries(['database_queries_total', ...series].map(name => [name, metricOf(text, name)]));
}

/** The same without the count of requests that went past the cache. */
export async function lookupsOf(app: Application): Promise<Record<string, number>> {
  const touches = Object.entries(await touchesOf(app));
  return Object.fromEntries(touches.filter(([series]) => !series.includes('outcome="bypass"')));
}

/**
 * Checks that something leaves what is measured as it was. The settings are read again about once a minute by schedule, and
 * that query may fall between the two measurements: then it is done again, and only what leaves its trace each time fails.
 */
export async function expectUntouched(
  measure: () => Promise<unknown>,
  act: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await measure();
    await act();
    const after = await measure();
    if (attempt === 3) expect(after).toEqual(before);
    if (isDeepStrictEqual(after, before)) return;
  }
}
