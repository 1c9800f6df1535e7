import { definePolicy } from '../../src/cache';
import { PlainHits } from '../../src/cache/core/plain-hits';
import { CacheStats } from '../../src/cache/core/stats';
import { ReadProfile } from '../../src/cache/core/read-profile';
import { keyAt, keyCount, readyKeys } from '../measure/loops';
import { openCache } from '../measure/ours';
import { agentsOf } from '../measure/payload';

/** `hit-loop counted|bare SOCKET`: hits in memory, with what is counted of them and without. Answers { times } with { us }. */
async function main(kind: string, socket: string): Promise<void> {
  if (kind === 'bare') {
    PlainHits.prototype.again = () => undefined;
    CacheStats.prototype.hit = () => undefined;
    ReadProfile.prototype.probeOf = () => undefined;
  }
  const cache = await openCache(socket, { namespace: `hits-${kind}` });
  const policy = definePolicy('bench', { ttlMs: 3_600_000, jitter: 0, tags: ['agents', 'api', 'fleet'] });
  const options = { policy };
  const keys = Array.from({ length: keyCount }, (_, at) => keyAt(at));
  let loads = 0;
  const loader = (): Promise<unknown> => {
    loads += 1;
    return Promise.resolve(agentsOf(1));
  };
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(keys.map(key => cache.getOrSet(key, loader, options)));
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const read = (key: string): Promise<unknown> => cache.getOrSet(key, loader, options);
  const loop = readyKeys(kind);
  await loop(read, keys, 200_000);
  loads = 0;
  const counted = (): number => cache.stats().totals.outcomes.l1_hit;
  process.on('message', ({ times }: { times: number }) => {
    const before = counted();
    globalThis.gc?.();
    const beganAtMs = performance.now();
    void loop(read, keys, times).then(missing => {
      const us = ((performance.now() - beganAtMs) * 1_000) / times;
      const hits = counted() - before;
      if (missing + loads > 0 || hits !== (kind === 'bare' ? 0 : times))
        throw new Error(`${kind}: ${missing} missing, ${loads} loads, ${hits} of ${times} hits counted`);
      process.send!({ us });
    });
  });
  process.once('disconnect', () => process.exit(0));
  process.send!({ ready: true });
}

void main(process.argv[2]!, process.argv[3]!);
