import { Injectable, Module, Scope, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TieredCache } from '../core';
import { CacheModule } from './cache.module';
import { CacheDatabaseQuery, CacheHeavyComputation, Cached } from './decorators/cached.decorator';
import { InvalidatesCache } from './decorators/invalidates-cache.decorator';

@Injectable()
class AgentsRepository {
  readonly calls: string[] = [];
  private readonly prefix = 'agent';

  @CacheDatabaseQuery()
  async all(): Promise<string> {
    this.calls.push('all');
    return `${this.prefix}s`;
  }

  @CacheDatabaseQuery()
  async count(): Promise<number> {
    this.calls.push('count');
    return 0;
  }

  @CacheDatabaseQuery({ key: 'agents:find', tags: ([id]) => [`agent:${String(id)}`] })
  async find(id: unknown, _fields?: unknown): Promise<unknown> {
    this.calls.push('find');
    return id === 'failing' ? Promise.reject(new Error('no')) : { id };
  }

  async viaThis(id: string): Promise<unknown> {
    return this.find(id);
  }

  @CacheDatabaseQuery({ args: (_request: unknown, id: string) => [id] })
  async picked(_request: unknown, id: string): Promise<string> {
    this.calls.push('picked');
    return id;
  }

  @InvalidatesCache({ tags: ({ args }) => [`agent:${String(args[0])}`] })
  async rename(id: string, fails = false): Promise<string> {
    if (fails) throw new Error('not renamed');
    return id;
  }

  @InvalidatesCache({
    tags: ({ args, result }) => (result === undefined ? [`agent:${String(args[0])}`] : []),
  })
  async lose(id: string): Promise<never> {
    return Promise.reject(new Error(`${id} may be written`));
  }

  @Cached({
    policy: 'db',
    tags: () => {
      throw new Error('tags');
    },
  })
  async badTags(): Promise<number> {
    this.calls.push('badTags');
    return 1;
  }

  @CacheDatabaseQuery({ args: (picked: unknown) => picked as readonly string[] })
  async oddlyPicked(picked: unknown): Promise<unknown> {
    this.calls.push('oddlyPicked');
    return picked;
  }

  async overloaded(first: string): Promise<string>;
  async overloaded(first: string, second: string | undefined): Promise<string>;
  @CacheDatabaseQuery()
  async overloaded(...names: (string | undefined)[]): Promise<string> {
    this.calls.push('overloaded');
    return [this.prefix, ...names].join(' ').trim();
  }

  @CacheDatabaseQuery()
  async falsy(value: unknown): Promise<unknown> {
    this.calls.push('falsy');
    return value;
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  @CacheDatabaseQuery()
  async get(): Promise<number> {
    return 1;
  }
}

async function start(...providers: Type[]): Promise<TestingModule> {
  const outcomeUnknown = (error: unknown): Promise<void> | undefined =>
    (error as Error).message.endsWith('may be written') ? Promise.resolve() : undefined;
  @Module({ imports: [CacheModule.forRoot({ warming: { enabled: false }, outcomeUnknown })], providers })
  class TestModule {}
  const module = await Test.createTestingModule({ imports: [TestModule] })
    .setLogger(false as never)
    .compile();
  return module.init();
}

describe('a cached method', () => {
  let module: TestingModule;
  let agents: AgentsRepository;
  let cache: TieredCache;

  beforeEach(async () => {
    module = await start(AgentsRepository, PerRequest);
    agents = module.get(AgentsRepository);
    cache = module.get(TieredCache);
  });

  afterEach(() => module.close());

  it('runs once for equal arguments', async () => {
    expect(await agents.find('a')).toEqual({ id: 'a' });
    expect(await agents.find('a')).toEqual({ id: 'a' });
    expect(agents.calls).toEqual(['find']);
  });

  it('never shares an entry with another method without arguments', async () => {
    expect([await agents.all(), await agents.count(), await agents.all(), await agents.count()]).toEqual([
      'agents',
      0,
      'agents',
      0,
    ]);
    expect(agents.calls).toEqual(['all', 'count']);
  });

  it('tells positional, falsy and typed arguments apart', async () => {
    const lists: [unknown, unknown?][] = [
      ['a', 'b'],
      ['b', 'a'],
      [0],
      ['0'],
      [null],
      [undefined],
      [''],
      [false],
      [-0],
    ];
    for (const list of [...lists, ...lists]) await agents.find(...list);
    expect(agents.calls).toHaveLength(lists.length);
  });

  it.each([null, 0, '', false])('keeps the result %p', async value => {
    expect([await agents.falsy(value), await agents.falsy(value)]).toEqual([value, value]);
    expect(agents.calls).toEqual(['falsy']);
  });

  it('is cached for calls through this as well', async () => {
    await agents.viaThis('a');
    await agents.find('a');
    expect(agents.calls).toEqual(['find']);
  });

  it('has the arguments in its key that args picks', async () => {
    expect(await agents.picked({ user: 1 }, 'a')).toBe('a');
    expect(await agents.picked(() => 'not keyable', 'a')).toBe('a');
    expect(agents.calls).toEqual(['picked']);
  });

  it('keeps name, length and metadata of the method', () => {
    expect([agents.find.name, agents.find.length]).toEqual(['find', 2]);
    expect(Reflect.getMetadataKeys(agents.find)).toEqual(
      Reflect.getMetadataKeys(AgentsRepository.prototype.find),
    );
    expect(Object.keys(agents)).not.toContain('find');
  });

  it('passes errors on and does not store them', async () => {
    await expect(agents.find('failing')).rejects.toThrow('no');
    await expect(agents.find('failing')).rejects.toThrow('no');
    expect(agents.calls).toHaveLength(2);
  });

  it('runs once for concurrent callers', async () => {
    await Promise.all(Array.from({ length: 20 }, () => agents.find('a')));
    expect(agents.calls).toEqual(['find']);
  });

  it('is called uncached, and counted, with arguments that cannot be a key or tags that throw', async () => {
    const callback = (): void => undefined;
    await agents.find(callback);
    await agents.find(callback);
    await agents.badTags();
    await agents.badTags();
    expect(agents.calls).toEqual(['find', 'find', 'badTags', 'badTags']);
    expect(cache.stats().policies.db!.outcomes.bypass).toBe(4);
  });

  it.each(['a b', 'a,b', '', 'x'.repeat(200), '\u0000'])(
    'A11: is called uncached with an argument (%j) that makes no tag',
    async id => {
      expect([await agents.find(id), await agents.find(id)]).toEqual([{ id }, { id }]);
      expect(agents.calls).toEqual(id === '' ? ['find'] : ['find', 'find']);
    },
  );

  it.each([undefined, 'text', { a: 1 }, 7, null])(
    'A09: is called uncached when args picks %j, which is no list of arguments',
    async picked => {
      expect([await agents.oddlyPicked(picked), await agents.oddlyPicked(picked)]).toEqual([picked, picked]);
      expect(agents.calls).toEqual(['oddlyPicked', 'oddlyPicked']);
      expect(cache.stats().policies.db!.outcomes.bypass).toBe(2);
    },
  );

  it('A10: has its own instance as this, and tells calls of different length apart', async () => {
    const other = Object.assign(new AgentsRepository(), {});
    expect(await agents.overloaded('a')).toBe('agent a');
    expect(await agents.overloaded('a', 'b')).toBe('agent a b');
    expect(await agents.overloaded('a', undefined)).toBe('agent a');
    expect(agents.calls).toEqual(['overloaded', 'overloaded']);
    // One that Nest did not make is not wrapped.
    expect(await other.overloaded('a')).toBe('agent a');
    expect(other.calls).toEqual(['overloaded']);
  });

  it('carries the tags worked out from its arguments and those of its policy', async () => {
    await agents.find('a');
    await agents.find('b');
    await cache.invalidateTags(['agent:a']);
    await agents.find('a');
    await agents.find('b');
    expect(agents.calls).toHaveLength(3);
    await cache.invalidateTags(['db']);
    await agents.find('b');
    expect(agents.calls).toHaveLength(4);
  });

  it('is invalidated after a method that declares so has succeeded, and only then', async () => {
    await agents.find('a');
    await expect(agents.rename('a', true)).rejects.toThrow('not renamed');
    await agents.find('a');
    expect(agents.calls).toHaveLength(1);
    expect(await agents.rename('a')).toBe('a');
    await agents.find('a');
    expect(agents.calls).toHaveLength(2);
  });

  it('is invalidated when nobody knows whether a method that declares so has written', async () => {
    await agents.find('a');
    await agents.find('b');
    await expect(agents.lose('a')).rejects.toThrow('may be written');
    await new Promise(setImmediate); // it is settled by then
    await agents.find('a');
    await agents.find('b');
    expect(agents.calls).toHaveLength(3);
  });

  it('of a provider made anew for each request is left alone', async () => {
    const own = await module.resolve(PerRequest);
    expect(Object.hasOwn(own, 'get')).toBe(false);
    expect(await own.get()).toBe(1);
  });
});

describe('a method that cannot be cached as it is declared stops the start', () => {
  it('two with one key', async () => {
    @Injectable()
    class Twice {
      @CacheDatabaseQuery({ key: 'twice' })
      async one(): Promise<number> {
        return 1;
      }
      @CacheHeavyComputation({ key: 'twice' })
      async two(): Promise<number> {
        return 2;
      }
    }
    await expect(start(Twice)).rejects.toThrow(/Twice\.two and Twice\.one would share the key twice/);
  });

  it('one that returns no promise', async () => {
    @Injectable()
    class Synchronous {
      @CacheDatabaseQuery()
      get(): string {
        return 'now';
      }
    }
    await expect(start(Synchronous)).rejects.toThrow(/Synchronous\.get: only methods that return a promise/);
  });

  it('one with options of a route', async () => {
    @Injectable()
    class Routed {
      @CacheDatabaseQuery({ query: ['limit'] })
      async get(): Promise<number> {
        return 1;
      }
    }
    await expect(start(Routed)).rejects.toThrow(
      /Routed\.get: query, headers, statuses and perHost are for routes/,
    );
  });
});
