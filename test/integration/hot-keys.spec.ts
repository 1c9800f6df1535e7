import { Injectable, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheDatabaseQuery, CacheModule, TieredCache, WarmingService } from '../../src/cache';
import { eventually } from './cache-node';
import { RedisServer } from './redis-server';

/** An application whose records nobody has declared to be warmed. */
interface Instance {
  readonly app: INestApplication;
  read(id: number, times: number): Promise<void>;
  /** What is loaded by a warming of what is read most, in its order. */
  warmHot(): Promise<number[]>;
}

describe('what is read most', () => {
  const hotKeys = 4;
  let redis: RedisServer;
  const apps: INestApplication[] = [];

  async function instance(): Promise<Instance> {
    const loads: number[] = [];
    @Injectable()
    class Records {
      @CacheDatabaseQuery({ key: 'records:one' })
      one(id: number): Promise<number> {
        loads.push(id);
        return Promise.resolve(id);
      }
    }
    @Module({
      imports: [
        CacheModule.forRoot({
          namespace: 'test',
          remote: {
            data: () => redis.client(),
            tracker: () => redis.client({ protocol: 2, autoResubscribe: false }),
          },
          warming: { enabled: false, hotKeys, concurrency: 1, loadsPerSecond: 0 },
        }),
      ],
      providers: [Records],
    })
    class Application {}
    const app: INestApplication = await NestFactory.create(Application, { logger: false });
    apps.push(await app.init());
    await eventually(() => app.get(TieredCache).status().gate.open);
    return {
      app,
      read: async (id, times) => {
        for (let time = 0; time < times; time += 1) await app.get(Records).one(id);
      },
      warmHot: async () => {
        loads.splice(0);
        const run = await app.get(WarmingService).warm({ jobs: ['hot'] });
        expect(run).toMatchObject({ state: 'done', failed: 0, total: hotKeys });
        return [...loads];
      },
    };
  }

  /** Six records, the later ones more often. */
  const readSome = async ({ read }: Instance): Promise<void> => {
    for (let id = 1; id <= 6; id += 1) await read(id, 3 * id);
  };

  beforeEach(async () => {
    redis = await RedisServer.start(5_000);
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map(app => app.close()));
    await redis.stop();
  });

  test('is loaded first after a deployment, by an instance that has read nothing yet', async () => {
    const old = await instance();
    await readSome(old);
    await old.app.get(TieredCache).clear();
    await old.app.close();
    const next = await instance();
    expect(await next.warmHot()).toEqual([6, 5, 4, 3]);
  });

  test('is added up: what two instances read a little may be more than what one reads often', async () => {
    const [a, b] = [await instance(), await instance()];
    await readSome(a);
    await b.read(1, 17);
    await b.app.get(TieredCache).clear();
    await b.app.close();
    await a.app.close();
    expect(await (await instance()).warmHot()).toEqual([1, 6, 5, 4]);
  });

  test('is loaded first after a flush of Redis, which takes what was noted there with it', async () => {
    const one = await instance();
    await readSome(one);
    await redis.admin().flushall();
    await eventually(() => one.app.get(TieredCache).status().l1Entries === 0);
    expect(await one.warmHot()).toEqual([6, 5, 4, 3]);
  });
});
