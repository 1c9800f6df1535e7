import { SystemClock } from '../../src/cache/core';
import { NodeHash } from '../../src/cache/node/node-hash';
import { RedisTier } from '../../src/cache/redis';
import { FakeRedis } from '../fakes/fake-redis';
import { FakeRedisTier } from '../fakes/fake-redis-tier';
import { RedisServer } from '../integration/redis-server';
import { atOnce, type Postman } from '../fakes/wire';
import { remoteTierContract, type Backend } from './remote-tier.contract';

const clock = new SystemClock();
const hash = new NodeHash();

describe('the shared tier on Redis', () => {
  remoteTierContract(async (): Promise<Backend> => {
    const redis = await RedisServer.start();
    return {
      tier: () =>
        new RedisTier({
          namespace: 'test',
          clients: {
            data: () => redis.client(),
            tracker: () => redis.client({ protocol: 2, autoResubscribe: false }),
          },
          clock,
          hash,
          heartbeatMs: 50,
        }),
      evict: async (kind, inner) => void (await redis.admin().unlink(`test:1:${kind}:{${inner}}`)),
      flushAll: async () => void (await redis.admin().flushall()),
      restart: async () => {
        await redis.kill();
        await redis.up();
      },
      stall: () => {
        redis.signal('SIGSTOP');
        return Promise.resolve(() => Promise.resolve(redis.signal('SIGCONT')));
      },
      stop: () => redis.stop(),
    };
  });
});

describe('the shared tier on a fake', () => {
  remoteTierContract((): Promise<Backend> => {
    const redis = new FakeRedis(clock);
    const tiers = new Set<FakeRedisTier>();
    let held: (() => void)[] | undefined;
    const postman: Postman = (label, deliver) => {
      if (held) held.push(deliver);
      else atOnce(label, deliver);
    };
    return Promise.resolve({
      tier: () => {
        const tier = new FakeRedisTier({ redis, hash, postman, heartbeatMs: 50, commandTimeoutMs: 300 });
        tiers.add(tier);
        return tier;
      },
      evict: (kind, inner) => Promise.resolve(void redis.evict(`test:1:${kind}:{${inner}}`)),
      flushAll: () => Promise.resolve(redis.flushAll()),
      restart: async () => {
        for (const tier of tiers) {
          tier.cutData();
          tier.cutWord();
        }
        redis.restart();
        for (const tier of tiers) await tier.connect();
      },
      stall: () => {
        held = [];
        return Promise.resolve(() => {
          const late = held!;
          held = undefined;
          for (const deliver of late) deliver();
          return Promise.resolve();
        });
      },
      stop: () => Promise.resolve(),
    });
  });
});
