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
import { TieredCache } from '../core';
import type { WarmingOptions } from '../nest/cache.module-definition';
import { CacheModule } from '../nest/cache.module';
import { CacheApiResponse, Cached, CacheDatabaseQuery } from '../nest/decorators/cached.decorator';
import { WarmLeader } from './warm-leader';
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
    await warming.warm(['agents', 'models']);
    expect(cache.stats().totals.gets).toBe(0);
    expect([...purposes]).toEqual(['warm-up']);
    await request(app.getHttpServer() as never).get('/api/v1/agents');
    expect(cache.stats().totals.gets).toBe(1);
    expect(cache.stats().totals.outcomes.l1_hit).toBe(1);
  });

  it('tells what was loaded from what was fresh already', async () => {
    expect(await warming.warm(['models'])).toMatchObject({ warmed: 1, skipped: 0, failed: 0 });
    expect(await warming.warm(['models'])).toMatchObject({ warmed: 0, skipped: 1, failed: 0 });
    await cache.invalidateKeys(['model:x']);
    expect(await warming.warm(['models'])).toMatchObject({ warmed: 1, skipped: 0, failed: 0 });
  });

  it('waits for the refresh of what was stale, and calls that warmed', async () => {
    await warming.warm(['stale']);
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(await warming.warm(['stale'])).toMatchObject({ warmed: 1, skipped: 0, failed: 0 });
    expect(calls).toEqual(['stale', 'stale']);
  });

  it('goes on after a failure, names it, and ends as failed', async () => {
    failing = true;
    const run = await warming.warm(['flaky', 'agents']);
    expect(run).toMatchObject({
      state: 'failed',
      failed: 1,
      failures: [{ job: '/api/v1/agents/failing/a', error: 'answered 500' }],
    });
    expect(run.warmed + run.skipped).toBe(4);
  });

  it('runs the jobs of the categories that were asked for', async () => {
    expect(warming.categories()).toEqual(['agents', 'api_endpoints', 'flaky', 'models', 'stale']);
    await warming.warm(['models', 'models']);
    expect(calls).toEqual(['model']);
  });

  it('refuses categories that nothing belongs to', async () => {
    await expect(warming.warm(['models', 'http://example.invalid'])).rejects.toMatchObject({
      code: 'WARM_JOB_UNKNOWN',
      unknown: ['http://example.invalid'],
    });
    expect(calls).toEqual([]);
  });

  it('joins a run of the same jobs that is under way', async () => {
    const [one, other] = await Promise.all([warming.warm(['models']), warming.warm(['models'])]);
    expect(other).toBe(one);
    expect(warming.run(one.id)).toBe(one);
  });

  it('remembers the last 20 runs', async () => {
    const first = await warming.warm(['models']);
    for (let count = 0; count < 20; count += 1) await warming.warm(['models']);
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
    expect(warming.runs()[0]).toMatchObject({ state: 'failed' });
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
    await app.get(WarmingService).warm(['busy']);
    expect(most).toBe(3);
    await app.close();
  });

  it('warms by schedule on the instance that wins the tick, and on no other', async () => {
    const app = await start({ enabled: true, cron: '0 0 1 1 *' });
    const claimed: string[] = [];
    let wins = false;
    jest.spyOn(app.get(WarmLeader), 'claim').mockImplementation(tick => {
      claimed.push(tick);
      return Promise.resolve(wins);
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
    expect(claimed[0]).toMatch(/^warm-up:\d+$/);
    expect(claimed[1]).toBe(claimed[0]);
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

async function settled(warming: WarmingService): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(resolve => setImmediate(resolve));
  while (warming.runs().some(run => run.state === 'running'))
    await new Promise(resolve => setImmediate(resolve));
}
