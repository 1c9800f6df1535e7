import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../../src/app.module';
import { TieredCache, WarmingService } from '../../src/cache';
import { appOptions, configureApp } from '../../src/configure-app';
import { LimitedExpressAdapter } from '../../src/http/limited-express.adapter';
import {
  readFields,
  readOutcomes,
  type FromInstance,
  type InstanceSettings,
  type ReadOutcome,
  type ToInstance,
} from './messages';
import { setOrigin, Sources, SourcesBefore, SourcesModule, type Row } from './sources';
import { classes, workload, type ClassName, type WorkloadEvent } from './workload';

/** One instance of the application, with the eight classes of reads beside its own routes. */

const settings = JSON.parse(process.env['BENCH_INSTANCE']!) as InstanceSettings;
const send = (message: FromInstance): void => void process.send!(message);

@Module({ imports: [AppModule, SourcesModule] })
class BenchModule {}

/** Asks the other process. */
class RemoteOrigin {
  #id = 0;
  readonly #waiting = new Map<number, (version: number) => void>();

  load(of: number, key: number): Promise<number> {
    return this.#ask('load', of, key);
  }

  write(of: number, key: number): Promise<number> {
    return this.#ask('write', of, key);
  }

  answered(id: number, version: number): void {
    this.#waiting.get(id)!(version);
    this.#waiting.delete(id);
  }

  #ask(kind: 'load' | 'write', of: number, key: number): Promise<number> {
    const id = (this.#id += 1);
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      send({ kind, id, of, key });
    });
  }
}

const origin = new RemoteOrigin();
setOrigin(origin);

/** Those of this instance. */
function ownEvents(): WorkloadEvent[] {
  const { seed, planSeconds, fromSeconds, toSeconds, instances } = settings;
  return workload(seed, planSeconds, instances).filter(
    ({ at, instance }) => instance === settings.instance && at >= fromSeconds && at < toSeconds,
  );
}

/** Reads its part of all records once, some at a time; what lives longest first. */
async function fill(app: NestExpressApplication): Promise<void> {
  const sources = app.get(Sources);
  const left = [...classes]
    .sort((a, b) => a.ttlSeconds - b.ttlSeconds)
    .flatMap(each => Array.from({ length: each.keys }, (_, key) => ({ each, key })))
    .filter(({ key }) => key % settings.instances === settings.instance);
  const work = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) await sources[next.each.name as ClassName](next.key);
  };
  await Promise.all(Array.from({ length: 64 }, work));
}

/** Lets the compiler see the code before the clock runs, with records that nobody else reads. */
async function warmUp(app: NestExpressApplication): Promise<void> {
  const [sources, before] = [app.get(Sources), app.get(SourcesBefore)];
  for (let round = 0; round < 1_500; round += 1)
    await Promise.all(
      classes.map(async each => {
        const name = each.name as ClassName;
        if (round % 3 === 0) await sources.write(name, each.keys);
        await (settings.preset === 'before' ? before.read(name, each.keys) : sources[name](each.keys));
      }),
    );
}

/** Plays the events of this instance at their times, whatever becomes of those before: open loop. */
async function play(
  app: NestExpressApplication,
  events: readonly WorkloadEvent[],
  startNs: bigint,
): Promise<Float64Array> {
  const [sources, before, cache] = [app.get(Sources), app.get(SourcesBefore), app.get(TieredCache)];
  const { fromSeconds, scale } = settings;
  const nowMs = (): number => Number(process.hrtime.bigint() - startNs) / 1e6;
  const dueMs = ({ at }: WorkloadEvent): number => ((at - fromSeconds) * 1_000) / scale;

  // Each read hears of its own outcome: the cache tells it within the context of the read.
  const reading = new AsyncLocalStorage<{ outcome: ReadOutcome }>();
  const stop = cache.events.on('read', ({ outcome, key }) => {
    const own = reading.getStore();
    if (own && (key.startsWith('bench:') || key.startsWith('before:'))) own.outcome = outcome;
  });
  const reads: number[] = [];
  const read = async (event: WorkloadEvent): Promise<void> => {
    const name = classes[event.of]!.name as ClassName;
    const own = { outcome: 'unknown' as ReadOutcome };
    const startMs = nowMs();
    let version: number;
    try {
      ({ version } = await reading.run(own, (): Promise<Row> =>
        settings.preset === 'before' ? before.read(name, event.key) : sources[name](event.key),
      ));
    } catch {
      // An answer like any other: it is counted, and no version was served.
      [own.outcome, version] = ['error', Infinity];
    }
    reads.push(
      ...[event.of, event.key, version, startMs, nowMs() - startMs, startMs - dueMs(event)],
      readOutcomes.indexOf(own.outcome),
    );
  };
  const write = async (event: WorkloadEvent): Promise<void> => {
    const { of, key } = event;
    const version = await sources.write(classes[of]!.name as ClassName, key);
    send({ kind: 'acknowledged', of, key, version, atMs: nowMs() });
  };

  const going = new Set<Promise<void>>();
  let next = 0;
  await new Promise<void>(done => {
    const turn = (): void => {
      const now = nowMs();
      while (next < events.length && dueMs(events[next]!) <= now) {
        const event = events[next++]!;
        const run = (event.kind === 'read' ? read(event) : write(event)).finally(() => going.delete(run));
        going.add(run);
      }
      if (next === events.length) done();
      else setTimeout(turn, 1);
    };
    turn();
  });
  await Promise.all(going);
  stop();
  return Float64Array.from(reads);
}

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(
    BenchModule,
    new LimitedExpressAdapter(),
    appOptions,
  );
  configureApp(app);
  await app.listen(0, '127.0.0.1');
  const [cache, warming] = [app.get(TieredCache), app.get(WarmingService)];
  const events = ownEvents();
  process.on('message', (message: ToInstance) => {
    if (message.kind === 'origin') origin.answered(message.id, message.version);
    else if (message.kind === 'fill') void fill(app).then(() => send({ kind: 'filled' }));
    else if (message.kind === 'warm')
      void warming.warm().then(({ warmed, skipped }) => send({ kind: 'warmed', entries: warmed + skipped }));
    else if (message.kind === 'play')
      void play(app, events, BigInt(message.startNs)).then(reads => {
        writeFileSync(settings.file, reads);
        send({ kind: 'played', reads: reads.length / readFields.length });
      });
    else void app.close().then(() => process.exit(0));
  });
  while (!cache.status().gate.open) await new Promise(resolve => setTimeout(resolve, 20));
  await warmUp(app);
  send({ kind: 'ready' });
}

// Without the other process there is nothing to do.
process.once('disconnect', () => process.exit(0));
void main();
