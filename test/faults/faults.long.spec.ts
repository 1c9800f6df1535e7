import { eventually } from '../integration/cache-node';
import { Cluster } from './cluster';
import { expectToSurviveFlapping } from './flapping';
import { expectBoundedMemory } from './many-keys';
import { TcpProxy } from './tcp-proxy';

const minuteMs = 60_000;

/** The faults that take their time, as long as they are described. The other specs have each of them in short. */
describe('faults at full length', () => {
  const cluster = Cluster.each();

  test(
    'F06: Redis frozen for 10 s under requests',
    async () => {
      const { it } = cluster;
      const measures = it.measure('F06');
      const a = await it.node();
      await it.near(a, measures, 'k');
      measures.fault();
      it.redis.signal('SIGSTOP');
      const frozenMs = performance.now();
      await measures.read(a, 'first');
      await measures.detected(() => a.status().remote.state === 'down');
      for (let n = 0; performance.now() - frozenMs < 10_000; n += 1) {
        await measures.read(a, `k${n % 100}`);
        await new Promise(resolve => setTimeout(resolve, 5));
      }
      expect(a.status()).toMatchObject({ gate: { open: false }, remote: { state: 'down' } });
      expect(it.closes).toBeGreaterThan(0);
      it.redis.signal('SIGCONT');
      measures.healed();
      await measures.coherent([a]);
      await measures.recovered(a);
      expect(measures.errors).toBe(0);
      expect(measures.slowestMs).toBeLessThan(300 + 2_000);
    },
    minuteMs,
  );

  test(
    'F20: connections that come and go every 200 ms for 30 s',
    async () => {
      const { it } = cluster;
      const [data, tracker] = [await TcpProxy.start(it.redis.port), await TcpProxy.start(it.redis.port)];
      try {
        const cache = await it.node({ dataPort: data.port, trackerPort: tracker.port });
        const flapping = {
          data,
          tracker,
          cluster: it,
          measures: it.measure('F20'),
          forMs: 30_000,
          eachMs: 200,
        };
        await expectToSurviveFlapping(cache, flapping);
      } finally {
        await Promise.all([data.stop(), tracker.stop()]);
      }
    },
    2 * minuteMs,
  );

  test(
    'F28: Redis comes back with 300 MB to load',
    async () => {
      const { it } = cluster;
      const measures = it.measure('F28');
      const a = await it.node();
      const admin = it.redis.client({ commandTimeout: minuteMs, socketTimeout: minuteMs });
      await admin.connect();
      await admin.call('DEBUG', 'POPULATE', '300000', 'bulk', '1000');
      await admin.config('SET', 'rdbcompression', 'no');
      await admin.save();
      await it.redis.kill();
      await eventually(() => a.status().remote.state === 'down');
      measures.fault();
      it.redis.begin();
      for (let n = 0; a.status().remote.state === 'down'; n += 1) {
        await measures.read(a, `k${n % 100}`);
        await new Promise(resolve => setTimeout(resolve, 2));
      }
      measures.healed();
      await measures.coherent([a], minuteMs);
      await measures.recovered(a);
      expect(measures.errors).toBe(0);
      expect(await it.redis.admin().dbsize()).toBeGreaterThan(300_000);
    },
    3 * minuteMs,
  );
});

describe('memory at full length', () => {
  test(
    'F63: a million keys',
    async () => {
      await expectBoundedMemory('F63', 1_000_000);
    },
    10 * minuteMs,
  );
});
