import {
  Body,
  ConflictException,
  Controller,
  Delete,
  Get,
  HttpCode,
  Module,
  Param,
  Patch,
  Post,
  Res,
  type INestApplication,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Response } from 'express';
import request from 'supertest';
import { eventually } from '../../../test/e2e/harness/eventually';
import { TieredCache } from '../core';
import { CacheInvalidation } from './cache-invalidation';
import { CacheModule } from './cache.module';
import { CacheApiResponse } from './decorators/cached.decorator';
import { InvalidatesCache } from './decorators/invalidates-cache.decorator';

let names: Record<string, string>;

@Controller('agents')
class AgentsController {
  @Get(':id')
  @CacheApiResponse({ tags: ({ params }) => [`agent:${params.id}`] })
  get(@Param('id') id: string): object {
    return { name: names[id] };
  }

  @Patch(':id')
  @InvalidatesCache({ tags: ({ params }) => [`agent:${params.id}`] })
  patch(@Param('id') id: string, @Body() body: { name: string; fails?: boolean }): object {
    names[id] = body.name;
    if (body.fails) throw new ConflictException();
    return { name: body.name };
  }

  @Patch(':id/lost')
  @InvalidatesCache({ tags: ({ params, result }) => (result === undefined ? [`agent:${params.id}`] : []) })
  lose(): never {
    throw lost;
  }

  @Post()
  @InvalidatesCache({
    tags: ({ result, body }) => [
      `agent:${(result as { id: string }).id}`,
      `by:${(body as { by: string }).by}`,
    ],
  })
  post(): object {
    names.a = 'posted';
    return { id: 'a' };
  }

  @Delete(':id')
  @HttpCode(204)
  @InvalidatesCache({ keys: ({ params }) => [`AgentsController.get|:id=${params.id!.length}:${params.id}`] })
  delete(@Param('id') id: string): void {
    names[id] = 'deleted';
  }

  @Post('refused')
  @InvalidatesCache({ tags: ['api'] })
  refused(@Res({ passthrough: true }) response: Response): string {
    names.a = 'refused';
    response.status(409);
    return 'conflict';
  }

  @Post('bad-tags')
  @InvalidatesCache({
    tags: () => {
      throw new Error('tags');
    },
  })
  badTags(): string {
    return 'written';
  }
}

/** The outcome of what throws it is not known before `settled`. */
class Lost extends Error {
  settle!: () => void;
  readonly settled = new Promise<void>(resolve => (this.settle = resolve));
}
let lost: Lost;

@Module({
  imports: [
    CacheModule.forRoot({
      warming: { enabled: false },
      outcomeUnknown: error => (error instanceof Lost ? error.settled : undefined),
    }),
  ],
  controllers: [AgentsController],
})
class TestModule {}

describe('a write', () => {
  let app: INestApplication;
  const http = (): ReturnType<typeof request> => request(app.getHttpServer() as never);
  const nameOfA = async (): Promise<unknown> =>
    ((await http().get('/agents/a')).body as { name: string }).name;

  beforeEach(async () => {
    names = { a: 'first', b: 'second' };
    app = (await Test.createTestingModule({ imports: [TestModule] }).compile()).createNestApplication({
      logger: false,
    });
    await app.init();
    await nameOfA();
  });

  afterEach(() => app.close());

  it('is seen by the next read of its client', async () => {
    await http().get('/agents/b');
    await http().patch('/agents/a').send({ name: 'new' }).expect(200);
    expect(await nameOfA()).toBe('new');
    names.b = 'unseen';
    expect((await http().get('/agents/b')).body).toEqual({ name: 'second' });
  });

  it('that throws invalidates nothing', async () => {
    await http().patch('/agents/a').send({ name: 'lost', fails: true }).expect(409);
    expect(await nameOfA()).toBe('first');
  });

  it('that answers with an error status invalidates nothing', async () => {
    await http().post('/agents/refused').expect(409);
    expect(await nameOfA()).toBe('first');
  });

  describe('of which nobody knows whether it has happened', () => {
    beforeEach(async () => {
      lost = new Lost();
      names.a = 'by the write';
      await http().patch('/agents/a/lost').expect(500);
    });

    it('invalidates when its outcome is settled, and not while the database is away', async () => {
      expect(await nameOfA()).toBe('first');
      lost.settle();
      await lost.settled;
      await eventually(async () => expect(await nameOfA()).toBe('by the write'));
      names.a = 'unseen';
      expect(await nameOfA()).toBe('by the write');
    });

    it('invalidates at once where the application stops', async () => {
      const invalidate = jest.spyOn(app.get(TieredCache), 'invalidate');
      await app.get(CacheInvalidation).beforeApplicationShutdown();
      lost = new Lost();
      await http().patch('/agents/a/lost').expect(500);
      expect(invalidate).toHaveBeenCalledTimes(2);
      expect(await nameOfA()).toBe('by the write');
    });

    it('invalidates when the application stops before its outcome is settled', async () => {
      const invalidate = jest.spyOn(app.get(TieredCache), 'invalidate');
      await app.close();
      expect(invalidate.mock.calls).toEqual([[{ tags: ['agent:a'], keys: [] }]]);
      lost.settle();
      await lost.settled;
      expect(invalidate).toHaveBeenCalledTimes(1);
    });
  });

  it('may work out tags from its body and its result', async () => {
    await http().post('/agents').send({ by: 'me' }).expect(201);
    expect(await nameOfA()).toBe('posted');
  });

  it('may invalidate keys', async () => {
    await http().delete('/agents/a').expect(204);
    expect(await nameOfA()).toBe('deleted');
  });

  it('is answered only after the invalidation is made', async () => {
    const cache = app.get(TieredCache);
    const invalidate = cache.invalidate.bind(cache);
    let release!: () => void;
    const released = new Promise<void>(resolve => (release = resolve));
    let asked!: () => void;
    const reached = new Promise<void>(resolve => (asked = resolve));
    jest.spyOn(cache, 'invalidate').mockImplementation(async what => {
      asked();
      await released;
      return invalidate(what);
    });
    let answered = false;
    const write = http()
      .patch('/agents/a')
      .send({ name: 'new' })
      .then(() => (answered = true));
    await reached;
    // A request that is not held up comes back, on the same server: whatever was to be sent before has been sent.
    await http().get('/agents/b');
    await http().get('/agents/b');
    expect(answered).toBe(false);
    release();
    await write;
    expect(await nameOfA()).toBe('new');
  });

  it('is answered as usual when the invalidation is queued or cannot be worked out', async () => {
    jest.spyOn(app.get(TieredCache), 'invalidate').mockResolvedValue({ applied: false, queued: true });
    await http().patch('/agents/a').send({ name: 'new' }).expect(200, { name: 'new' });
    await http().post('/agents/bad-tags').expect(201, 'written');
  });
});
