import {
  Controller,
  Get,
  Injectable,
  InternalServerErrorException,
  Module,
  Param,
  Query,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { TieredCache, type Lead } from '../core';
import type { WarmingOptions } from '../nest/cache.module-definition';
import { CacheModule } from '../nest/cache.module';
import { CacheApiResponse, Cached, CacheDatabaseQuery } from '../nest/decorators/cached.decorator';
import { WarmLeader } from './warm-leader';
import type { WarmRun } from './warm-run';
import { WarmUp } from './warm-up.decorator';
import { WarmingService } from './warming.service';

let calls: string[];
let purposes: Set<string>;
let failing: boolean;
let held: Promise<void> | undefined;

@Injectable()
class AgentsRepository {
  constructor(private readonly cache: TieredCache) {}

  @CacheDatabaseQuery({ key: 'rows:agents' })
  @WarmUp({ category: 'agents', args: [[1], [2]] })
  async page(number: number): Promise<number> {
    calls.push(`page ${number}`);
    purposes.add(this.cache.purpose);
    await held;
    return number;
  }

  @WarmUp({ category: 'models', args: async () => Promise.resolve([['x']]) })
  async notCachedItself(name: string): Promise<unknown> {
    return this.cache.getOrSet(`model:${name}`, () => calls.push('model'));
  }
}

@Controller('agents')
class AgentsController {
  constructor(
    private readonly repository: AgentsRepository,
    private readonly cache: TieredCache,
  ) {}

  @Get()
  @CacheApiResponse({ key: 'agents:list', query: ['limit'] })
  @WarmUp({ category: ['agents', 'api_endpoints'], requests: [{}, { query: { limit: '5' } }] })
  async list(@Query('limit') limit?: string): Promise<object> {
    calls.push(`list ${limit ?? ''}`);
    purposes.add(this.cache.purpose);
    return { limit, row: await this.repository.page(1) };
  }

  @Get('failing/:id')
  @CacheApiResponse()
  @WarmUp({ category: 'flaky', requests: [{ params: { id: 'a' } }] })
  failing(@Param('id') id: string): object {
    calls.push(`failing ${id}`);
    if (failing) throw new InternalServerErrorException();
    return { id };
  }

  @Get('stale')
  @Cached({ policy: 'api', ttlMs: 1, staleMs: 60_000 })
  @WarmUp({ category: 'stale' })
  stale(): object {
    calls.push('stale');
    return {};
  }
}

async function start(warming: WarmingOptions, ...more: Type[]): Promise<INestApplication> {
  @Module({
    imports: [CacheModule.forRoot({ warming })],
    controllers: [AgentsController],
    providers: [AgentsRepository, ...more],
  })
  class TestModule {}
  const module = await Test.createTestingModule({ imports: [TestModule] }).compile();
  const app = module.createNestApplication<INestApplication>({ logger: false });
  app.setGlobalPrefix('api/v1');
  return app.init();
}

beforeEach(() => {
  calls = [];
  purposes = new Set();
  failing = false;
  held = undefined;
});

describe('warming', () => {
  let app: INestApplication;
  let warming: WarmingService;
  let cache: TieredCache;

  beforeEach(async () => {
    app = await start({ enabled: false });
    warming = app.get(WarmingService);
    cache = app.get(TieredCache);
  });

  afterEach(() => app.close());

  it('stores under the keys that requests and calls read', async () => {
    const run = await warming.warm();
    expect(run).toMatchObject({ state: 'done', failed: 0, failures: [] });
    expect(run.warmed + run.skipped).toBe(7);
    calls = [];
    const http = request(app.getHttpServer() as never);
    for (const path of ['/api/v1/agents', '/api/v1/agents?limit=5', '/api/v1/agents/failing/a']) {
      expect((await http.get(path)).headers['cache-status']).toContain('hit');
    }
    await app.get(AgentsRepository).page(1);
    await app.get(AgentsRepository).page(2);
    expect(calls).toEqual([]);
  });

  it('is not counted, and loaders can see it', async () => {
    await warming.warm({ categories: ['agents', 'models'] });
    expect(cache.stats().totals.gets).toBe(0);
    expect([...purposes]).toEqual(['warm-up']);
    await request(app.getHttpServer() as never).get('/api/v1/agents');
    expect(cache.stats().totals.gets).toBe(1);
    expect(cache.stats().totals.outcomes.l1_hit).toBe(1);
  });

  it('tells what was loaded from what was fresh already', async () => {
    expect(await warming.warm({ categories: ['models'] })).toMatchObject({
      warmed: 1,
      skipped: 0,
      failed: 0,
    });
    expect(await warming.warm({ categories: ['models'] })).toMatchObject({
      warmed: 0,
      skipped: 1,
      failed: 0,
    });
    await cache.invalidateKeys(['model:x']);
    expect(await warming.warm({ categories: ['models'] })).toMatchObject({
      warmed: 1,
      skipped: 0,
      failed: 0,
    });
  });

  it('waits for the refresh of what was stale, and calls that warmed', async () => {
    await warming.warm({ categories: ['stale'] });
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(await warming.warm({ categories: ['stale'] })).toMatchObject({ warmed: 1, skipped: 0, failed: 0 });
    expect(calls).toEqual(['stale', 'stale']);
  });

  it('goes on after a failure, names it, and ends as failed', async () => {
    failing = true;
    const run = await warming.warm({ categories: ['flaky', 'agents'] });
    expect(run).toMatchObject({
      state: 'failed',
      failed: 1,
      failures: [{ job: '/api/v1/agents/failing/a', error: 'answered 500', reason: 'answered 500' }],
    });
    expect(run.warmed + run.skipped).toBe(4);
  });

  it('runs the jobs of the categories that were asked for', async () => {
    expect(warming.categories()).toEqual(['agents', 'api_endpoints', 'flaky', 'hot', 'models', 'stale']);
    await warming.warm({ categories: ['models', 'models'] });
    expect(calls).toEqual(['model']);
  });

  it('refuses categories that nothing belongs to', async () => {
    await expect(warming.warm({ categories: ['models', 'http://example.invalid'] })).rejects.toMatchObject({
      code: 'WARM_JOB_UNKNOWN',
      unknown: ['http://example.invalid'],
    });
    expect(calls).toEqual([]);
  });

  it('joins a run of the same jobs that is under way', async () => {
    const [one, other] = await Promise.all([
      warming.warm({ categories: ['models'] }),
      warming.warm({ categories: ['models'] }),
    ]);
    expect(other).toBe(one);
    expect(warming.run(one.id)).toBe(one);
  });

  it('remembers the last 20 runs', async () => {
    const first = await warming.warm({ categories: ['models'] });
    for (let count = 0; count < 20; count += 1) await warming.warm({ categories: ['models'] });
    expect(warming.runs()).toHaveLength(20);
    expect(warming.run(first.id)).toBeUndefined();
  });
});

describe('warming at the start', () => {
  it('does not hold up the start, and is given up when the application closes', async () => {
    held = new Promise(() => undefined);
    const app = await start({ enabled: true });
    const warming = app.get(WarmingService);
    expect(warming.runs()[0]!.state).toBe('running');
    await app.close();
    expect(warming.runs()[0]).toMatchObject({ state: 'cut' });
    expect(warming.runs()[0]!.failures[0]!.error).toContain('shutting down');
  });

  it('runs no more loads at once than it may', async () => {
    let running = 0;
    let most = 0;
    @Injectable()
    class Busy {
      @CacheDatabaseQuery()
      @WarmUp({ category: 'busy', args: Array.from({ length: 10 }, (_, index) => [index]) })
      async load(_index: number): Promise<number> {
        most = Math.max(most, (running += 1));
        await new Promise(resolve => setTimeout(resolve, 2));
        running -= 1;
        return 1;
      }
    }
    const app = await start({ enabled: false, concurrency: 3 }, Busy);
    await app.get(WarmingService).warm({ categories: ['busy'] });
    expect(most).toBe(3);
    await app.close();
  });

  it('warms by schedule on the instance that wins the tick, and on no other', async () => {
    const app = await start({ enabled: true, cron: '0 0 1 1 *' });
    const rounds: unknown[] = [];
    const lead: Lead = {
      progress: undefined,
      keep: () => Promise.resolve(true),
      end: () => Promise.resolve(),
    };
    let wins = false;
    jest.spyOn(app.get(WarmLeader), 'take').mockImplementation((job, round) => {
      rounds.push([job, round]);
      return Promise.resolve(wins ? lead : undefined);
    });
    const warming = app.get(WarmingService);
    const job = app.get(SchedulerRegistry).getCronJob('warm-up');
    await settled(warming);
    const before = warming.runs().length;
    await job.fireOnTick();
    await settled(warming);
    expect(warming.runs()).toHaveLength(before);
    wins = true;
    await job.fireOnTick();
    await settled(warming);
    expect(warming.runs()).toHaveLength(before + 1);
    expect(rounds[0]).toEqual(['warm-up', expect.any(Number)]);
    expect(rounds[1]).toEqual(rounds[0]);
    await app.close();
  });

  it.each<[string, WarmingOptions, RegExp]>([
    ['a cron that is none', { cron: 'often' }, /warm-up: cron cannot be "often"/],
    [
      'a concurrency of 0',
      { concurrency: 0 },
      /warming: concurrency must be a whole number from 1 to 64, not 0/,
    ],
  ])('is refused with %s', async (_title, options, message) => {
    await expect(start(options)).rejects.toThrow(message);
  });
});

describe('what users read', () => {
  let app: INestApplication;
  let warming: WarmingService;
  const read = (path: string): Promise<unknown> => request(app.getHttpServer() as never).get(path);
  /** A run of the schedule of an application that leads it. */
  const scheduled = async (): Promise<WarmRun> => {
    const before = warming.runs().length;
    await app.get(SchedulerRegistry).getCronJob('warm-up').fireOnTick();
    await settled(warming);
    expect(warming.runs()).toHaveLength(before + 1);
    return warming.runs()[0]!;
  };

  beforeEach(async () => {
    app = await start({ cron: '0 0 1 1 *', loadsPerSecond: 0 });
    warming = app.get(WarmingService);
    await settled(warming);
    calls = [];
  });
  afterEach(() => app.close());

  it('is renewed before it expires by the schedule, and what nobody reads is left alone', async () => {
    await read('/api/v1/agents?limit=5');
    const run = await scheduled();
    // The request, and the call of which cannot be told what it reads.
    expect(run).toMatchObject({ state: 'done', trigger: 'schedule', warmed: 2, failed: 0, left: 0 });
    expect(calls.filter(call => call !== 'model')).toEqual(['list 5']);
    expect(run.unread).toBeGreaterThanOrEqual(4);
    expect(run.total).toBe(run.warmed + run.skipped + run.unread);
  });

  it('is renewed by the schedule although a run that was asked for is under way, and neither stands for the other', async () => {
    await read('/api/v1/agents?limit=5');
    let release!: () => void;
    held = new Promise(resolve => (release = resolve));
    await app.get(TieredCache).clear();
    const asked = warming.start();
    while (!calls.includes('page 2')) await new Promise(resolve => setImmediate(resolve));
    await app.get(SchedulerRegistry).getCronJob('warm-up').fireOnTick();
    while (warming.runs()[0]!.trigger !== 'schedule') await new Promise(resolve => setImmediate(resolve));
    const late = warming.start();
    expect(late.run).toBe(asked.run);
    release();
    await settled(warming);
    const [scheduled] = warming.runs();
    expect([asked.run.unread, asked.run.failed]).toEqual([0, 0]);
    expect([scheduled!.state, scheduled!.unread > 0]).toEqual(['done', true]);
  });

  it('tells by job how much of what is warmed nobody has read', async () => {
    const of = async (job: string): Promise<unknown> =>
      (await warming.unread()).find(({ job: name }) => name.includes(job));
    const before = await warming.unread();
    expect(before.length).toBeGreaterThan(0);
    for (const { count, of: all } of before) expect(count).toBe(all);
    await read('/api/v1/agents?limit=5');
    const after = await warming.unread();
    const sum = (jobs: readonly { count: number }[]): number =>
      jobs.reduce((total, { count }) => total + count, 0);
    expect(sum(after)).toBe(sum(before) - 1);
    expect(await of('hot')).toBeUndefined();
  });

  it('is warmed although nothing declares it, once and by its own parameters', async () => {
    for (let count = 0; count < 3; count += 1) await read('/api/v1/agents?limit=77');
    await app.get(AgentsRepository).page(8);
    await app.get(TieredCache).clear();
    calls = [];
    expect(await warming.warm({ jobs: ['hot'] })).toMatchObject({ state: 'done', warmed: 3 });
    expect(calls.sort()).toEqual(['list 77', 'page 1', 'page 8']);
    calls = [];
    const answer = (await read('/api/v1/agents?limit=77')) as { headers: Record<string, string> };
    expect(answer.headers['cache-status']).toContain('hit');
    expect(calls).toEqual([]);
  });

  it('does not count what warming reads itself', async () => {
    await warming.warm();
    await app.get(TieredCache).clear();
    calls = [];
    expect(await warming.warm({ jobs: ['hot'] })).toMatchObject({ state: 'done', total: 0 });
    expect(calls).toEqual([]);
  });

  it('can be looked at without a load', async () => {
    await read('/api/v1/agents?limit=77');
    calls = [];
    expect(await warming.preview({ jobs: ['hot', 'rows:agents'] })).toEqual({
      jobs: [
        // The page that the request was made of was read for a user too; it stands where it is read first.
        { job: 'hot', units: ['/api/v1/agents?limit=77', 'rows:agents'] },
        { job: 'rows:agents', units: ['rows:agents'] },
      ],
      failures: [],
    });
    expect(calls).toEqual([]);
  });
});

describe('a run of warming', () => {
  it('begins nothing more when its time is over, and says what is left', async () => {
    @Injectable()
    class Slow {
      @CacheDatabaseQuery()
      @WarmUp({ category: 'slow', args: Array.from({ length: 5 }, (_, index) => [index]) })
      load(index: number): Promise<number> {
        return index === 0 ? Promise.resolve(0) : new Promise(() => undefined);
      }
    }
    const app = await start({ enabled: false, concurrency: 1, deadlineMs: 100 }, Slow);
    expect(await app.get(WarmingService).warm({ categories: ['slow'] })).toMatchObject({
      state: 'cut',
      total: 5,
      warmed: 1,
      failed: 0,
      left: 4,
      failures: [{ job: 'the run', error: 'its deadline is over' }],
    });
    await app.close();
  });

  it('begins no more loads a second than it may, and waits for nothing where nothing is loaded', async () => {
    @Injectable()
    class Units {
      @CacheDatabaseQuery()
      @WarmUp({ category: 'units', args: [[1], [2], [3]] })
      load(unit: number): Promise<number> {
        return Promise.resolve(unit);
      }
    }
    const app = await start({ enabled: false, concurrency: 1, loadsPerSecond: 1, deadlineMs: 150 }, Units);
    const warming = app.get(WarmingService);
    const run = (): Promise<WarmRun> => warming.warm({ categories: ['units'] });
    expect(await run()).toMatchObject({ warmed: 1, skipped: 0, left: 2 });
    expect(await run()).toMatchObject({ warmed: 1, skipped: 1, left: 1 });
    expect(await run()).toMatchObject({ warmed: 1, skipped: 2, left: 0, state: 'done' });
    await app.close();
  });

  it('names a job of which the calls cannot be told, and does the others', async () => {
    @Injectable()
    class Broken {
      @CacheDatabaseQuery()
      @WarmUp({ category: 'mixed', args: () => Promise.reject(new Error('no list')) })
      broken(): Promise<number> {
        return Promise.resolve(1);
      }

      @CacheDatabaseQuery()
      @WarmUp({ category: 'mixed' })
      whole(): Promise<number> {
        return Promise.resolve(1);
      }
    }
    const app = await start({ enabled: false }, Broken);
    const warming = app.get(WarmingService);
    const selection = { categories: ['mixed'] };
    expect(await warming.preview(selection)).toEqual({
      jobs: [{ job: 'Broken.whole', units: ['Broken.whole'] }],
      failures: [{ job: 'Broken.broken', error: 'no list' }],
    });
    expect(await warming.warm(selection)).toMatchObject({
      state: 'failed',
      total: 2,
      warmed: 1,
      failed: 1,
      failures: [{ job: 'Broken.broken', error: 'no list' }],
    });
    await app.close();
  });

  it('is there at once, and can be watched', async () => {
    let release!: () => void;
    held = new Promise(resolve => (release = resolve));
    const app = await start({ enabled: false });
    const warming = app.get(WarmingService);
    const { run, end } = warming.start({ jobs: ['rows:agents'] });
    expect([run.state, run.trigger, run.total]).toEqual(['running', 'request', undefined]);
    while (calls.length < 2) await new Promise(resolve => setImmediate(resolve));
    expect([run.state, run.total, run.warmed]).toEqual(['running', 2, 0]);
    release();
    expect(await end).toBe(run);
    expect([run.state, run.warmed]).toEqual(['done', 2]);
    await app.close();
  });
});

describe('readiness', () => {
  let release!: () => void;
  let others: number;

  @Injectable()
  class Critical {
    @CacheDatabaseQuery()
    @WarmUp({ category: 'start', critical: true })
    async first(): Promise<number> {
      await held;
      return 1;
    }

    @CacheDatabaseQuery()
    @WarmUp({ category: 'start', priority: 10 })
    second(): Promise<number> {
      others += 1;
      return new Promise(() => undefined);
    }
  }

  beforeEach(() => {
    others = 0;
    held = new Promise(resolve => (release = resolve));
  });

  it('waits for the critical jobs of the start, which come first, and for nothing else', async () => {
    const app = await start({ concurrency: 1 }, Critical);
    const warming = app.get(WarmingService);
    while (warming.runs()[0]!.total === undefined) await new Promise(resolve => setImmediate(resolve));
    for (let turn = 0; turn < 50; turn += 1) await new Promise(resolve => setImmediate(resolve));
    expect([warming.isReady, others]).toEqual([false, 0]);
    release();
    while (!warming.isReady) await new Promise(resolve => setImmediate(resolve));
    expect(warming.runs()[0]!.state).toBe('running');
    await app.close();
  });

  it('waits no longer than its deadline', async () => {
    const app = await start({ readyDeadlineMs: 20 }, Critical);
    const warming = app.get(WarmingService);
    expect(warming.isReady).toBe(false);
    while (!warming.isReady) await new Promise(resolve => setTimeout(resolve, 1));
    expect(warming.runs()[0]!.state).toBe('running');
    await app.close();
  });

  it('waits for nothing where warming is off, or where nothing is critical', async () => {
    const off = await start({ enabled: false }, Critical);
    expect(off.get(WarmingService).isReady).toBe(true);
    await off.close();
    const none = await start({});
    expect(none.get(WarmingService).isReady).toBe(true);
    await none.close();
  });

  it('does not wait for a critical job that fails', async () => {
    @Injectable()
    class Failing {
      @CacheDatabaseQuery()
      @WarmUp({ category: 'start', critical: true })
      first(): Promise<number> {
        return Promise.reject(new Error('no'));
      }
    }
    const app = await start({}, Failing);
    const warming = app.get(WarmingService);
    while (!warming.isReady) await new Promise(resolve => setImmediate(resolve));
    expect(warming.runs()[0]!.failures[0]).toEqual({
      job: 'Failing.first',
      error: 'no',
      reason: 'the source failed, the log says how',
    });
    await app.close();
  });
});

async function settled(warming: WarmingService): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(resolve => setImmediate(resolve));
  while (warming.runs().some(run => run.state === 'running'))
    await new Promise(resolve => setImmediate(resolve));
}
