import { cachesUnderTest } from '../../test/fakes/cache-under-test';
import { definePolicy, maxPoliciesCounted } from '../cache';
import { CacheMetrics } from './cache-metrics';
import { CoherenceMetrics } from './coherence-metrics';
import { PrometheusRegistry } from './prometheus-registry';

describe('series of metrics', () => {
  const make = cachesUnderTest();

  it('are as many with 100,000 keys as with one, whatever becomes of them', async () => {
    const { cache } = make({ local: { maxEntries: 1_000 } });
    const registry = new PrometheusRegistry();
    const parts = [new CacheMetrics(cache, registry), new CoherenceMetrics(cache, registry)];
    const names = async (): Promise<string[]> =>
      (await registry.text())
        .split('\n')
        .filter(line => line.startsWith('cache_'))
        .map(line => line.slice(0, line.lastIndexOf(' ')));
    const readAll = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to; at += 1) {
        await cache.getOrSet(`key-${at}`, () => at, { tags: [`tag-${at % 1_000}`] });
        if (at % 10_000 === 0) await cache.invalidateTags([`tag-${at % 1_000}`]);
      }
    };
    await readAll(0, 1);
    await expect(cache.getOrSet('fails', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    const before = await names();
    await readAll(1, 100_000);
    expect(await names()).toEqual(before);
    expect(before.join('\n')).not.toMatch(/key-|tag-/);
    for (const part of parts) part.onApplicationShutdown();
    registry.onApplicationShutdown();
  }, 60_000);

  it('of policies are bounded too: those past the bound are one', async () => {
    const { cache } = make();
    const registry = new PrometheusRegistry();
    const metrics = new CacheMetrics(cache, registry);
    for (let at = 0; at < 200; at += 1)
      await cache.getOrSet(`k${at}`, () => at, { policy: definePolicy(`policy-${at}`, {}) });
    const policies = new Set((await registry.text()).match(/policy="[^"]*"/g));
    expect(policies.size).toBeLessThanOrEqual(maxPoliciesCounted + 1);
    metrics.onApplicationShutdown();
    registry.onApplicationShutdown();
  });
});
