import { Application, type Exit } from './application';
import { eventually } from './eventually';
import { PostgresServer } from './postgres-server';
import { RedisServer } from './redis-server';

/** Two instances that share a Redis and a PostgreSQL server, both of their own. */
export interface TwoInstances {
  readonly a: Application;
  readonly b: Application;
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  /** Of their database. */
  readonly url: string;
  /** How the two have ended. */
  stop(): Promise<Exit[]>;
}

/** Starts them at once, so that migrations and first agents meet, and waits until each hears what the other changes. */
export async function twoInstances(env: Record<string, string | undefined> = {}): Promise<TwoInstances> {
  const [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
  const url = await postgres.createDatabase('two');
  const shared = { REDIS_URL: redis.url, DATABASE_URL: url, ...env };
  const [a, b] = await Promise.all([Application.start(shared), Application.start(shared)]);
  await coherent(a, b);
  const stop = async (): Promise<Exit[]> => {
    const exits = await Promise.all([a.stop(), b.stop()]);
    await Promise.all([redis.stop(), postgres.stop()]);
    return exits;
  };
  return { a, b, redis, postgres, url, stop };
}

/** Waits until instances may serve from their memory, which they do not before Redis tells them of changes. */
export function coherent(...apps: readonly Application[]): Promise<void> {
  return eventually(async () => {
    for (const app of apps) {
      const { body } = await app.get<{ coherence: { gate_open: boolean } }>('/api/v1/cache/stats');
      if (!body.coherence.gate_open) throw new Error('not coherent yet');
    }
  });
}
