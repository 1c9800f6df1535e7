import { Redis, type RedisOptions } from 'ioredis';
import type { SetOptions, TieredCache } from '../../src/cache';
import { createTieredCache } from '../../src/cache/nest/create-cache';
import type { CacheModuleOptions } from '../../src/cache/nest/cache.module-definition';
import { clientOptions, trackerOptions } from '../../src/redis/client-options';

/** On a busy machine a healthy server takes its time, and an outage is not what is measured here. */
const patience = { commandTimeoutMs: 10_000, connectTimeoutMs: 10_000 };

/** The cache as the application has it, attached to the server behind a unix socket, or alone; with an L1 that is served. */
export async function openCache(
  socket: string | undefined,
  options: Omit<CacheModuleOptions, 'remote'> = {},
): Promise<TieredCache> {
  if (socket === undefined) return createTieredCache(options, []);
  const clients = new Map<string, Redis>();
  const client = (extra: RedisOptions = {}): Redis => {
    const settings = clientOptions({ mode: 'url', url: undefined, ...patience }, 'bench');
    // The cache hears of it by `close`.
    return new Redis({ ...settings, ...extra, path: socket }).on('error', () => undefined);
  };
  const cache = createTieredCache(
    {
      namespace: 'ours',
      ...options,
      remote: {
        data: purpose => {
          let found = clients.get(purpose);
          if (!found) clients.set(purpose, (found = client()));
          return found;
        },
        tracker: () => client(trackerOptions),
      },
    },
    [],
  );
  await cache.ready(10_000);
  await gateOpened(cache);
  return cache;
}

/** Until word of changes has come lately: L1 is served then for longer than a turn takes. */
export async function gateOpened(cache: TieredCache): Promise<void> {
  for (let waitedMs = 0; (cache.status().gate.ageMs ?? Infinity) > freshMs; waitedMs += 10) {
    if (waitedMs > 10_000) throw new Error('the gate of L1 did not open');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

const freshMs = 800;

/** Sets all of them. On a machine that is busy elsewhere a write can come too late, and is then not made: it is tried again. */
export async function fill(
  cache: TieredCache,
  entries: readonly (readonly [string, unknown])[],
  options: SetOptions,
): Promise<void> {
  for (let at = 0; at < entries.length; at += fillAtOnce) {
    const some = entries.slice(at, at + fillAtOnce);
    for (let attempt = 0; !(await cache.setMany(some, options)).applied; attempt += 1)
      if (attempt === 10) throw new Error('the entries could not be set');
  }
}

const fillAtOnce = 64;
