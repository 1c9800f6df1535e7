import { Injectable, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import {
  CacheDatabaseQuery,
  CacheModule,
  TieredCache,
  WarmingService,
  WarmUp,
  type WarmRun,
} from '../../src/cache';
import { eventually } from '../integration/cache-node';
import type { RedisServer } from '../integration/redis-server';

export const unitCount = 12;
export const leaseMs = 1_000;

/** An application with one job of some units. `load` stands for its database. */
export interface WarmingInstance {
  readonly cache: TieredCache;
  readonly warming: WarmingService;
  /** What the schedule does when its time has come. */
  tick(): void;
  read(unit: number): Promise<string>;
  /** The last run, when it has ended. */
  ended(): Promise<WarmRun>;
  close(): Promise<void>;
}

/** Started, warm, and one of those that hear of each other. */
export async function warmingInstance(
  redis: RedisServer,
  load: (unit: number) => Promise<string>,
): Promise<WarmingInstance> {
  @Injectable()
  class Units {
    @CacheDatabaseQuery({ key: 'units' })
    @WarmUp({ category: 'units', args: Array.from({ length: unitCount }, (_, unit) => [unit]) })
    unit(unit: number): Promise<string> {
      return load(unit);
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
        warming: { cron: '0 0 1 1 *', leaseMs, hotKeys: 0, concurrency: 2, loadsPerSecond: 0 },
      }),
    ],
    providers: [Units],
  })
  class Application {}
  const app: INestApplication = await NestFactory.create(Application, { logger: false });
  await app.init();
  const [cache, warming] = [app.get(TieredCache), app.get(WarmingService)];
  await eventually(() => cache.status().gate.open, 20_000);
  const instance: WarmingInstance = {
    cache,
    warming,
    tick: () => void app.get(SchedulerRegistry).getCronJob('warm-up').fireOnTick(),
    read: unit => app.get(Units).unit(unit),
    ended: async () => {
      await eventually(() => warming.runs()[0]?.state !== 'running', 20_000);
      return warming.runs()[0]!;
    },
    close: () => app.close(),
  };
  await instance.ended();
  return instance;
}
