import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { cacheDefaults } from '../../src/cache';
import { chartsSvg } from './chart';
import { judge, readsOf, type Acknowledged } from './judge';
import type { FromInstance, InstanceSettings, ToInstance } from './messages';
import { OriginServer } from './origin';
import { lifeSeconds, presets, usualPresets, type Preset } from './presets';
import { chartOf, claimsOf, markdownOf, whyInvalid, type Result } from './report';
import { idealHits, workload, type ReadClass, type WorkloadEvent } from './workload';

/**
 * `npm run bench:hit-rate [-- --full] [--only=PRESET,…] [--seed=N]`: ten minutes of traffic, replayed against two instances of the
 * application on one Redis. Time passes twenty times as fast, lives and loads included, so that it plays for two minutes; `--full`
 * takes ten minutes for each preset. Results: `bench/results/hit-rate.md`, `.json` and `.svg`, and `hit-rate-full.*`.
 */
const options = process.argv.slice(2);
const valueOf = (name: string): string | undefined =>
  options.find(each => each.startsWith(`--${name}=`))?.slice(name.length + 3);
const scale = options.includes('--full') ? 1 : 20;
const seed = Number(valueOf('seed') ?? 1);
const seconds = 600;
const instances = 2;
const durationMs = (seconds * 1_000) / scale;
const asked = valueOf('only')?.split(',') as Preset[] | undefined;
const only = asked ?? usualPresets;
const isAfterRestart = (preset: Preset): boolean => preset === 'continued' || preset === 'restart';
const results = join(process.cwd(), 'bench', 'results');
/** Runs of different lengths of time are kept apart. */
const name = scale === 1 ? 'hit-rate-full' : 'hit-rate';

interface Instance {
  readonly child: ChildProcess;
  readonly settings: InstanceSettings;
}

/** What is left of a preset that has been played. */
interface Recording extends Pick<Result, 'preset' | 'changes' | 'loads'> {
  readonly settings: readonly InstanceSettings[];
}

class Stage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sutazai-hit-rate-'));
  readonly #origin = new OriginServer(scale);
  #redis: ChildProcess | undefined;
  #port = 0;
  #hurries = 0;

  async open(): Promise<void> {
    this.#port = await freePort();
    const settings = [
      '--port',
      String(this.#port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    this.#redis = spawn('redis-server', settings, { stdio: 'ignore' });
    this.#redis.once('error', error => {
      process.stderr.write(`redis-server is needed: ${error.message}\n`);
      process.exit(1);
    });
    const client = new Redis(this.#port, '127.0.0.1', {
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    client.on('error', () => undefined);
    await client.ping();
    await client.flushall();
    client.disconnect();
  }

  /** Both instances at once, ready and warmed; what stands behind the cache is not waited for meanwhile. */
  start(preset: Preset, fromSeconds: number): Promise<Instance[]> {
    return this.#instantly(() =>
      Promise.all(
        Array.from({ length: instances }, (_, instance) =>
          this.#start({
            ...{ preset, seed, scale, instance, instances },
            ...{ planSeconds: 3 * seconds, fromSeconds, toSeconds: fromSeconds + seconds },
            file: join(this.#folder, `reads-${fromSeconds}-${instance}`),
          }),
        ),
      ),
    );
  }

  #start(settings: InstanceSettings): Promise<Instance> {
    const child = fork(join(__dirname, 'instance.js'), {
      env: {
        ...process.env,
        ...{ NODE_ENV: 'production', LOG_LEVEL: 'error', RATE_LIMIT: 'off', PORT: '0', OLLAMA_URL: '' },
        REDIS_URL: `redis://127.0.0.1:${this.#port}`,
        DATA_DIR: join(this.#folder, `data-${settings.fromSeconds}-${settings.instance}`),
        CACHE_WARMING: 'off',
        CACHE_WARMING_HOT_KEYS: '256',
        BENCH_INSTANCE: JSON.stringify(settings),
      },
    });
    this.#origin.serve(child);
    return new Promise((ready, fail) => {
      child.once('exit', code => fail(new Error(`an instance ended at its start with ${String(code)}`)));
      child.on('message', (message: FromInstance) => {
        if (message.kind === 'ready') ready({ child, settings });
      });
    });
  }

  /** Plays the workload to its end. */
  async play(preset: Preset, running: readonly Instance[]): Promise<Recording> {
    const changes: Acknowledged[] = [];
    this.#origin.takeLoads();
    // A moment from now, so that all begin together.
    const startNs = process.hrtime.bigint() + 200_000_000n;
    const bar = progress(preset, durationMs);
    await Promise.all(
      running.map(
        ({ child, settings }) =>
          new Promise<void>((played, fail) => {
            child.once('exit', code => fail(new Error(`an instance ended with ${String(code)}`)));
            child.on('message', (message: FromInstance) => {
              if (message.kind === 'acknowledged') changes.push({ ...message, instance: settings.instance });
              if (message.kind === 'played') played();
            });
            child.send({ kind: 'play', startNs: String(startNs) } satisfies ToInstance);
          }),
      ),
    );
    bar.end();
    const settings = running.map(each => each.settings);
    return { preset, changes, loads: this.#origin.takeLoads(), settings };
  }

  /** What it came to, beside the ideal of the same events. Takes a second or two: for when nothing is measured. */
  resultOf({ preset, changes, loads, settings }: Recording): Result {
    const reads = settings.flatMap(({ file, instance }) => readsOf(readFileSync(file), instance));
    const { fromSeconds, toSeconds, planSeconds } = settings[0]!;
    const events = workload(seed, planSeconds, instances);
    const lifeOf = (each: ReadClass): number => lifeSeconds(each, preset);
    const before = (end: number): WorkloadEvent[] =>
      events.filter(({ at }) => at < end && (preset !== 'restart' || at >= fromSeconds));
    const fullAt = preset === 'restart' ? fromSeconds : undefined;
    const [until, earlier] = [
      idealHits(before(toSeconds), lifeOf, fullAt),
      idealHits(before(fromSeconds), lifeOf, fullAt),
    ];
    const less = (all: readonly number[], some: readonly number[]): number[] =>
      all.map((each, at) => each - some[at]!);
    return {
      preset,
      reads,
      changes,
      staleness: judge(reads, changes, cacheDefaults.maxL1StalenessMs),
      loads,
      ideal: { hits: less(until.hits, earlier.hits), reads: less(until.reads, earlier.reads) },
    };
  }

  /** Has every record read once, without waiting for what stands behind the cache. */
  fill(running: readonly Instance[]): Promise<void> {
    return this.#instantly(() => this.#all(running, 'fill', 'filled'));
  }

  warm(running: readonly Instance[]): Promise<void> {
    return this.#all(running, 'warm', 'warmed');
  }

  async #instantly<T>(work: () => Promise<T>): Promise<T> {
    this.#hurries += 1;
    this.#origin.isInstant = true;
    try {
      return await work();
    } finally {
      this.#hurries -= 1;
      this.#origin.isInstant = this.#hurries > 0;
    }
  }

  async #all(
    running: readonly Instance[],
    kind: 'fill' | 'warm',
    answer: FromInstance['kind'],
  ): Promise<void> {
    await Promise.all(
      running.map(
        ({ child }) =>
          new Promise<void>(done => {
            child.on('message', (message: FromInstance) => {
              if (message.kind === answer) done();
            });
            child.send({ kind } satisfies ToInstance);
          }),
      ),
    );
  }

  async stop(running: readonly Instance[]): Promise<void> {
    await Promise.all(
      running.map(
        ({ child }) =>
          new Promise<void>(gone => {
            child.removeAllListeners('exit');
            child.once('exit', () => gone());
            child.send({ kind: 'stop' } satisfies ToInstance);
          }),
      ),
    );
  }

  async close(): Promise<void> {
    const redis = this.#redis;
    if (redis?.exitCode === null && redis.signalCode === null) {
      const gone = new Promise(resolve => redis.once('exit', resolve));
      redis.kill();
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** A line that says how far it is. */
function progress(label: string, totalMs: number): { end(): void } {
  const startedAt = performance.now();
  const show = (): void => {
    const share = Math.min(1, (performance.now() - startedAt) / totalMs);
    if (process.stderr.isTTY) process.stderr.write(`\r${label} ${Math.round(share * 100)} % `);
  };
  const timer = setInterval(show, 500);
  return {
    end: () => {
      clearInterval(timer);
      if (process.stderr.isTTY) process.stderr.write('\r');
      process.stderr.write(`${label} played\n`);
    },
  };
}

/** Presets that follow each other on one stage; each stage has a Redis of its own. */
function actsOf(only: readonly Preset[]): Preset[][] {
  const last = only.filter(isAfterRestart);
  return [
    ...(['before', 'demand'] as const).filter(preset => only.includes(preset)).map(preset => [preset]),
    ...(last.length > 0 || only.includes('stale') ? [['stale' as const, ...last]] : []),
  ];
}

/**
 * Plays all. Between two presets nothing is measured: what is over is judged and put away while what comes next is got ready. While
 * one is played, nothing else is done.
 */
async function playAll(acts: readonly (readonly Preset[])[]): Promise<Result[]> {
  const stages: Stage[] = [];
  const begin = async (presets: readonly Preset[]): Promise<{ stage: Stage; running: Instance[] }> => {
    const stage = new Stage();
    stages.push(stage);
    await stage.open();
    return { stage, running: await stage.start(presets[0]!, 0) };
  };
  const results: Result[] = [];
  try {
    let ready = await begin(acts[0]!);
    for (const [at, presets] of acts.entries()) {
      const { stage } = ready;
      let { running } = ready;
      let recording = await stage.play(presets[0]!, running);
      for (const [round, preset] of presets.slice(1).entries()) {
        // The new ones come before the old ones go, as in a rolling deployment.
        const old = running;
        const started = stage.start(preset, (round + 1) * seconds);
        results.push(stage.resultOf(recording));
        running = await started;
        // Last of all: what it takes to start is minutes of the lives that are filled in here.
        if (preset === 'restart') await stage.fill(old);
        await stage.stop(old);
        await stage.warm(running);
        recording = await stage.play(preset, running);
      }
      const over = stage.stop(running);
      const following = acts[at + 1];
      const next = following && begin(following);
      results.push(stage.resultOf(recording));
      await over;
      await stage.close();
      if (next) ready = await next;
    }
    return results;
  } finally {
    await Promise.all(stages.map(stage => stage.close()));
  }
}

async function main(): Promise<void> {
  const beganAt = performance.now();
  const unknown = only.filter(preset => !presets.includes(preset));
  if (unknown.length > 0)
    throw new Error(`there is no preset ${unknown.join(', ')}; there are ${presets.join(', ')}`);
  const all = await playAll(actsOf(only));
  const circumstances = `Ten minutes of traffic at 200 reads a second in eight classes, seed ${seed}, replayed open loop against two instances on one Redis${scale === 1 ? '' : `, ${scale} times as fast as it is, lives and loads included`}. Node ${process.version}, ${cpus().length} cores. \`npm run bench:hit-rate${scale === 1 ? ' -- --full' : ''}\``;
  const markdown = markdownOf(all, circumstances, `${name}.svg`);
  const invalid = whyInvalid(all);
  if (asked === undefined && invalid === undefined) {
    mkdirSync(results, { recursive: true });
    writeFileSync(join(results, `${name}.md`), markdown);
    writeFileSync(
      join(results, `${name}.svg`),
      chartsSvg(
        all.map(each => chartOf(each, durationMs)),
        seconds / 60,
      ),
    );
    writeFileSync(
      join(results, `${name}.json`),
      `${JSON.stringify({ node: process.version, seed, scale, claims: claimsOf(all) }, undefined, 2)}\n`,
    );
  }
  process.stdout.write(markdown);
  process.stderr.write(`all of it took ${Math.round((performance.now() - beganAt) / 1_000)} s\n`);
  if (invalid !== undefined) {
    process.stderr.write(`${invalid} Nothing was kept.\n`);
    process.exitCode = 1;
  }
}

void main();
