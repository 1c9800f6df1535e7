import { setImmediate as turn } from 'node:timers/promises';
import { definePolicy, type TieredCache } from '../../src/cache/core';
import { eventually } from '../integration/cache-node';
import type { Cluster } from './cluster';
import { openHandles, type Measures } from './measures';
import type { TcpProxy } from './tcp-proxy';

export interface Flapping {
  data: TcpProxy;
  tracker: TcpProxy;
  cluster: Cluster;
  measures: Measures;
  forMs: number;
  /** Down for so long, up for so long, and again. */
  eachMs: number;
}

/** Connections come and go under reads; what must hold meanwhile, and what must be left over afterwards: nothing. */
export async function expectToSurviveFlapping(cache: TieredCache, flapping: Flapping): Promise<void> {
  const { data, tracker, cluster, measures, forMs, eachMs } = flapping;
  const policy = definePolicy('bounded', { tier: 'redis', maxConcurrentLoads: 4 });
  let running = 0;
  let mostRunning = 0;
  const load = async (): Promise<number> => {
    mostRunning = Math.max(mostRunning, (running += 1));
    await turn();
    running -= 1;
    return 1;
  };
  const handlesBefore = openHandles();
  const listenersBefore = cluster.listeners();
  const read = async (untilMs: number): Promise<void> => {
    while (performance.now() < untilMs) {
      await Promise.all(Array.from({ length: 12 }, (_, n) => cache.getOrSet(`k${n}`, load, { policy })));
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  };
  measures.fault();
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    for (const proxy of [data, tracker]) {
      proxy.refuse();
      proxy.cut();
    }
    await read(performance.now() + eachMs);
    for (const proxy of [data, tracker]) proxy.pass();
    await read(performance.now() + eachMs);
  }
  measures.healed();
  await measures.coherent([cache]);
  await measures.recovered(cache);
  expect(mostRunning).toBeLessThanOrEqual(4);
  expect(cluster.listeners()).toBe(listenersBefore);
  // Sockets of the proxies close in their own time.
  await eventually(() => openHandles() <= handlesBefore + 2);
}
