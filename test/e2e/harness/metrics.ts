import type { Application } from './application';

/** The values of `GET /metrics` at one moment, by series as it is written there: `cache_gets_total{policy="api"}`. */
export async function metricsOf(app: Application): Promise<(series: string) => number> {
  const lines = (await app.get('/metrics')).text.split('\n');
  return series => {
    const line = lines.find(each => each.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no ${series}`);
    return Number(line.slice(series.length + 1));
  };
}

/** SQL queries that an application has run so far. */
export async function queriesOf(app: Application): Promise<number> {
  return (await metricsOf(app))('database_queries_total');
}
