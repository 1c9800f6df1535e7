import { Injectable, Module } from '@nestjs/common';
import {
  CacheApiResponse,
  CacheDatabaseQuery,
  type CacheDecoratorOptions,
  CacheHeavyComputation,
  CacheModelData,
  CacheSessionData,
  CacheStaticData,
  InvalidatesCache,
  TieredCache,
} from '../../src/cache';
import type { InstanceSettings } from './messages';
import { faults, classOf, lifeSeconds } from './presets';
import { classes, type ClassName } from './workload';

/** What a read brings: which version of the record it is, and the rest of the record. */
export interface Row {
  readonly version: number;
  readonly text: string;
}

/** What stands behind the cache: asked over a process boundary, as a database is. */
export interface Origin {
  load(of: number, key: number): Promise<number>;
  write(of: number, key: number): Promise<number>;
}

const settings = JSON.parse(process.env['BENCH_INSTANCE'] ?? '{}') as InstanceSettings;
let origin: Origin;
/** Before the first read. */
export function setOrigin(given: Origin): void {
  origin = given;
}

/** The text of a record of a class: words, as answers have them, so that compression has what it is used to. */
const texts = classes.map(({ bytes }) => {
  const words = [
    'agent',
    'status',
    'healthy',
    'response',
    'latency',
    'orchestrator',
    'queue',
    'tokens',
    'model',
  ];
  let text = '';
  for (let at = 0; text.length < bytes; at += 1)
    text += `"${words[(at * 7 + at ** 2) % words.length]}_${at}":${at * 37},`;
  return text.slice(0, bytes);
});

/** The options of a class, in the time of this run. */
function cached(name: ClassName): CacheDecoratorOptions {
  const each = classOf(name);
  const ttlMs = Math.max(1, Math.round((lifeSeconds(each, settings.preset) * 1_000) / settings.scale));
  return {
    key: `bench:${name}`,
    ttlMs,
    tags: ([key]: readonly unknown[]) => [`bench:${name}:${String(key)}`],
    ...(settings.preset === 'demand' && { staleMs: 0, refreshAheadFraction: 0 }),
  };
}

async function load(name: ClassName, key: number): Promise<Row> {
  const of = classes.indexOf(classOf(name));
  return { version: await origin.load(of, key), text: texts[of]! };
}

/** One cached method for each class, with the decorator that is made for it. */
@Injectable()
export class Sources {
  @CacheApiResponse(cached('health'))
  health(key: number): Promise<Row> {
    return load('health', key);
  }

  @CacheApiResponse(cached('metrics'))
  metrics(key: number): Promise<Row> {
    return load('metrics', key);
  }

  @CacheApiResponse(cached('agents'))
  agents(key: number): Promise<Row> {
    return load('agents', key);
  }

  @CacheStaticData(cached('settings'))
  settings(key: number): Promise<Row> {
    return load('settings', key);
  }

  @CacheHeavyComputation(cached('hardware'))
  hardware(key: number): Promise<Row> {
    return load('hardware', key);
  }

  @CacheModelData(cached('models'))
  models(key: number): Promise<Row> {
    return load('models', key);
  }

  @CacheSessionData(cached('session'))
  session(key: number): Promise<Row> {
    return load('session', key);
  }

  @CacheDatabaseQuery(cached('query'))
  query(key: number): Promise<Row> {
    return load('query', key);
  }

  /** Changes a record, and what is cached of it is gone before this resolves. Resolves to the version. */
  @InvalidatesCache({
    tags: ({ args }: { args: readonly unknown[] }) => [`bench:${String(args[0])}:${String(args[1])}`],
  })
  write(name: ClassName, key: number): Promise<number> {
    return origin.write(classes.indexOf(classOf(name)), key);
  }
}

/** The same reads as they were: get, then load, then set, with what was wrong about each class. */
@Injectable()
export class SourcesBefore {
  private request = 0;

  constructor(private readonly cache: TieredCache) {}

  async read(name: ClassName, key: number): Promise<Row> {
    this.request += 1;
    const fault = faults[name];
    const varying = fault === 'varying_key' ? `|${process.pid}-${this.request}` : '';
    const found = await this.cache.get<Row>(`before:${name}|${key}${varying}`);
    if (found !== undefined) return found;
    const row = await load(name, key);
    const written = fault === 'lost_name' ? 'cache' : 'before';
    const { ttlMs } = cached(name);
    await this.cache.set(`${written}:${name}|${key}${varying}`, row, {
      ttlMs:
        fault === 'milliseconds' ? ttlMs! : Math.round((classOf(name).ttlSeconds * 1_000) / settings.scale),
      tags: [`bench:${name}:${key}`],
    });
    return row;
  }
}

@Module({ providers: [Sources, SourcesBefore] })
export class SourcesModule {}
