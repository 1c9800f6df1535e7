import { Injectable, Module, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TieredCache } from '../core';
import type { Advice } from '../doctor';
import { WarmUp } from '../warming/warm-up.decorator';
import { CacheDoctor } from './cache-doctor';
import { CacheModule } from './cache.module';
import { CacheDatabaseQuery } from './decorators/cached.decorator';

@Injectable()
class Reports {
  @CacheDatabaseQuery({ key: 'reports:one' })
  @WarmUp({ category: 'reports', args: [[1], [2]] })
  one(id: number): Promise<number> {
    return Promise.resolve(id);
  }
}

describe('the doctor of an application', () => {
  let app: INestApplication;
  const unread = async (): Promise<Advice | undefined> =>
    (await app.get(CacheDoctor).diagnose()).advice.find(({ kind }) => kind === 'warmed_unread');
  /** As if the application had been running for so long. */
  const running = (minutes: number): void => {
    const cache = app.get(TieredCache);
    const stats = cache.stats.bind(cache);
    jest
      .spyOn(cache, 'stats')
      .mockImplementation(window => ({ ...stats(window), uptimeMs: minutes * 60_000 }));
  };

  beforeEach(async () => {
    @Module({ imports: [CacheModule.forRoot({ warming: { enabled: false } })], providers: [Reports] })
    class TestModule {}
    const module = await Test.createTestingModule({ imports: [TestModule] }).compile();
    app = await module.createNestApplication({ logger: false }).init();
  });
  afterEach(() => app.close());

  it('names what is warmed and read by nobody, until it is read', async () => {
    running(31);
    await app.get(Reports).one(2);
    expect(await unread()).toMatchObject({ head: 'reports:one', evidence: { warmed: 2, unread: 1 } });
    await app.get(Reports).one(1);
    expect(await unread()).toBeUndefined();
  });

  it('says nothing of it in the first half hour: it may only not have been read yet', async () => {
    running(29);
    expect(await unread()).toBeUndefined();
  });
});
