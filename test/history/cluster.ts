import { setTimeout as pause } from 'node:timers/promises';
import { cacheNode } from '../integration/cache-node';
import { ChildInstance } from './child-instance';
import { SharedClock } from './hrtime';
import { LocalInstance, type Instance } from './instance';
import type { Measures } from './messages';
import { maxL1StalenessMs, nodeOptions } from './node-options';
import { describeFault, kindOf, planFaults, type PlannedFault } from './plan';
import { Random } from './random';
import { ofKind, type HistoryRecord } from './records';
import { Source } from './source';
import { Stage } from './stage';
import { TieredSubject, type Subject } from './subject';

export interface ClusterOptions {
  seed: number;
  /** On each instance. Default 4 and 1. */
  readers?: number;
  writers?: number;
  /** Makes the caches of an instance in this process. Without it they are ours, and the third one is in a child process. */
  subjectOf?: (stage: Stage, inst: string) => Promise<Subject>;
}

export interface HistoryOptions {
  lengthMs: number;
  /** The faults come from the seed of the cluster and this number; undefined: no faults. */
  faultsOf?: number;
}

const instances = ['a', 'b', 'c'];
/** So long may it take until everything is connected again after the last fault; on any machine. */
const recoveryLimitMs = 30_000;

/** Three instances on one Redis with a network that has faults, and the histories that they make. */
export class Cluster {
  readonly instanceNames: readonly string[] = instances;
  readonly #instances: Instance[] = [];
  #history: HistoryRecord[] = [];
  #stopped = false;
  /** Of this process: a commit and a read of it are told apart by microseconds. */
  readonly #clock = new SharedClock();
  readonly #source = new Source(
    () => this.#clock.nowMs(),
    record => void this.#history.push(record),
  );

  private constructor(
    private readonly options: ClusterOptions,
    readonly stage: Stage,
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await Stage.set(instances));
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Lets readers and writers run, with faults or without, and waits until all is calm again; ends with a read of everything. */
  async history({ lengthMs, faultsOf }: HistoryOptions): Promise<HistoryRecord[]> {
    // After a stall between two histories, such as the judging of the last one.
    await this.#calm();
    this.#history = [];
    this.#source.recordAll();
    const beganAtMs = this.#clock.nowMs();
    await Promise.all(this.#instances.map(instance => instance.start()));
    const plan =
      faultsOf === undefined ? [] : planFaults(new Random(this.options.seed + faultsOf), lengthMs, instances);
    await Promise.all([pause(lengthMs), ...plan.map(fault => this.#happen(fault, beganAtMs, faultsOf!))]);
    await this.stage.healAll();
    await Promise.all(this.#instances.map(instance => instance.stop()));
    await this.#calm();
    await pause(2 * maxL1StalenessMs);
    await Promise.all(this.#instances.map(instance => instance.readAll()));
    return this.#history;
  }

  /** Of each process. */
  async measure(): Promise<Map<string, Measures>> {
    const measured = await Promise.all(
      this.#instances.map(async instance => [instance.pid ?? process.pid, await instance.measure()] as const),
    );
    return new Map(measured.map(([pid, measures]) => [pid === process.pid ? 'parent' : 'child', measures]));
  }

  /** Closes the caches. @throws when a child process does not end by itself then */
  async close(): Promise<void> {
    await Promise.all(this.#instances.map(instance => instance.close()));
  }

  /** Ends whatever there is, well or not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#source.stop();
    for (const instance of this.#instances) {
      if (instance instanceof ChildInstance) await instance.kill();
      else await instance.close();
    }
    await this.stage.stop();
  }

  async #start(): Promise<void> {
    const { seed, subjectOf, readers = 4, writers = 1 } = this.options;
    for (const [index, name] of instances.entries()) {
      const record = (one: HistoryRecord): void => void this.#history.push(one);
      const dataPort = this.stage.proxy({ inst: name, link: 'data' }).port;
      const trackerPort = this.stage.proxy({ inst: name, link: 'tracker' }).port;
      const random = new Random(seed + 7_919 * (index + 1));
      if (name === 'c' && !subjectOf) {
        const child = { inst: name, seed: random.seed, port: this.stage.redis.port, dataPort, trackerPort };
        this.#instances.push(await ChildInstance.start({ ...child, readers, writers }, this.#source, record));
        continue;
      }
      const clock = this.#clock;
      const subject =
        (await subjectOf?.(this.stage, name)) ??
        new TieredSubject(cacheNode(this.stage.redis, { ...nodeOptions, clock, dataPort, trackerPort }));
      const truth = this.#source;
      this.#instances.push(
        new LocalInstance({ name, subject, truth, clock, random, record, readers, writers }),
      );
    }
    await this.#calm();
  }

  async #happen(planned: PlannedFault, beganAtMs: number, faultsOf: number): Promise<void> {
    const { atMs, durationMs, fault } = planned;
    await pause(Math.max(0, beganAtMs + atMs - this.#clock.nowMs()));
    if (this.#stopped) return;
    const start = this.#clock.nowMs();
    const child = this.#instances.find(instance => instance instanceof ChildInstance);
    const end = await this.stage.begin(
      fault,
      durationMs,
      new Random(this.options.seed + faultsOf + atMs),
      child,
    );
    await pause(Math.max(0, start + durationMs - this.#clock.nowMs()));
    await end();
    this.#history.push({
      op: 'fault',
      kind: kindOf(fault),
      what: describeFault(fault),
      start,
      end: this.#clock.nowMs(),
    });
  }

  async #calm(): Promise<void> {
    const untilMs = this.#clock.nowMs() + recoveryLimitMs;
    while (!this.#instances.every(instance => instance.isWell())) {
      if (this.#clock.nowMs() > untilMs) {
        const ill = this.#instances.filter(instance => !instance.isWell()).map(({ name }) => name);
        const last = ofKind(this.#history, 'fault').at(-1)?.what ?? 'the start';
        throw new Error(`${ill.join(', ')} not well ${recoveryLimitMs} ms after ${last}`);
      }
      await pause(20);
    }
  }
}
