import { setTimeout as pause } from 'node:timers/promises';
import { RemoteUnavailableError, type Clock } from '../../src/cache/core';
import {
  changedWithTag,
  keysInvalidatedByKey,
  keyspace,
  keysThatAreSet,
  patterns,
  planOf,
  reachedByPattern,
  reachedByTag,
  tags,
  viewOf,
  type KeyPlan,
} from './keyspace';
import type { Random } from './random';
import type { HistoryRecord, InvalidationRecord, LoadRecord, Via } from './records';
import type { Truth } from './source';
import type { Subject, Value } from './subject';

export interface WorkloadOptions {
  inst: string;
  subject: Subject;
  truth: Truth;
  clock: Clock;
  random: Random;
  record: (record: HistoryRecord) => void;
  readers: number;
  writers: number;
}

const maxLoadMs = 31;
const maxReadPauseMs = 10;
const maxWritePauseMs = 25;
/** A `set` that was not confirmed may still be done on the server until its deadline has passed there. */
const zombieMs = 1_000;
const stallProbeMs = 20;
const stallMs = 100;

/** Thrown by loaders now and then: the callers must get it, and nobody else. */
class SourceDown extends Error {
  override readonly name = 'SourceDown';
}

/** What one instance does: reads and writes at random, and takes down what came of it. */
export class Workload {
  #running: Promise<void>[] = [];
  #stopped = true;
  #lastProbeMs = 0;
  readonly #probe: NodeJS.Timeout;

  constructor(private readonly options: WorkloadOptions) {
    const { subject, clock, inst, record } = options;
    subject.onFlush(() => record({ op: 'flush', inst, start: clock.nowMs() }));
    this.#lastProbeMs = clock.nowMs();
    this.#probe = setInterval(() => {
      const now = clock.nowMs();
      if (now - this.#lastProbeMs > stallProbeMs + stallMs) {
        record({ op: 'stall', inst, start: this.#lastProbeMs, end: now });
      }
      this.#lastProbeMs = now;
    }, stallProbeMs).unref();
  }

  start(): void {
    const { readers, writers } = this.options;
    this.#stopped = false;
    this.#running = [
      ...Array.from({ length: readers }, () => this.#loop(() => this.#readOne(), maxReadPauseMs)),
      ...Array.from({ length: writers }, () => this.#loop(() => this.#writeOne(), maxWritePauseMs)),
    ];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Reads every key, twice: what the first read has put into L1 is read by the second. */
  async readAll(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(keyspace.map(plan => this.read(plan, true)));
    }
  }

  /** For good, without waiting for what is under way. */
  end(): void {
    this.#stopped = true;
    clearInterval(this.#probe);
  }

  async #loop(step: () => Promise<void>, maxPauseMs: number): Promise<void> {
    const { inst, record, random, clock } = this.options;
    while (!this.#stopped) {
      try {
        await step();
      } catch (error) {
        // A failing source is part of the plan: whoever waits for its load gets its error.
        if (!(error instanceof SourceDown))
          record({ op: 'failure', inst, start: clock.nowMs(), what: describe(error) });
      }
      await pause(random.between(0, maxPauseMs));
    }
  }

  // ------------------------------------------------------------------------------------------ reading

  async #readOne(): Promise<void> {
    const plan = this.options.random.pick(keyspace);
    if (this.options.random.happens(0.1)) return this.#peek(plan);
    await this.read(plan, false);
  }

  async read(plan: KeyPlan, isFinal: boolean): Promise<void> {
    const { subject, clock, record } = this.options;
    const loads: LoadRecord[] = [];
    let answered = false;
    const loaded = (load: LoadRecord): void => {
      // A refresh behind the answer ends after it, and does not say whether it had a lease.
      if (answered) record({ ...load, alone: true });
      else loads.push(load);
    };
    const turn = clock.coarseMs();
    const start = clock.nowMs();
    let alone = false;
    try {
      const answer = await subject.read(plan, addTags => this.#load(plan, addTags, loaded, isFinal));
      const end = clock.nowMs();
      alone = answer.alone;
      this.#took(plan, answer.value, { start, turn, end }, answer.via, isFinal);
    } finally {
      answered = true;
      for (const load of loads) record({ ...load, alone });
    }
  }

  async #peek(plan: KeyPlan): Promise<void> {
    const { subject, clock } = this.options;
    const turn = clock.coarseMs();
    const start = clock.nowMs();
    const value = await subject.peek(plan);
    const end = clock.nowMs();
    if (value !== undefined) this.#took(plan, value, { start, turn, end }, 'GET', false);
  }

  #took(
    plan: KeyPlan,
    value: Value,
    times: { start: number; turn: number; end: number },
    via: Via,
    isFinal: boolean,
  ): void {
    const { inst, record } = this.options;
    const isWhole =
      value?.key === plan.key &&
      typeof value.version === 'number' &&
      plan.inner.every(name => typeof value.inner[name] === 'number');
    if (!isWhole) {
      const what = `${plan.key} answered with ${JSON.stringify(value).slice(0, 200)} from ${via}`;
      return record({ op: 'failure', inst, start: times.start, what });
    }
    const common = { op: 'read', inst, ...times, via, ...(isFinal && { final: true as const }) } as const;
    record({ ...common, key: plan.key, version: value.version });
    for (const name of plan.inner) {
      record({ ...common, key: viewOf(plan.key, name), version: value.inner[name]! });
    }
  }

  /** Takes up to 31 ms, and asks for the version at some instant within them. */
  async #load(
    plan: KeyPlan,
    addTags: (...tags: string[]) => void,
    loaded: (load: LoadRecord) => void,
    isFinal: boolean,
  ): Promise<Value> {
    const { inst, clock, random, truth } = this.options;
    const start = clock.nowMs();
    const lastsMs = random.between(0, maxLoadMs);
    const beforeMs = random.between(0, lastsMs);
    try {
      await pause(beforeMs);
      if (!isFinal && random.happens(0.02)) throw new SourceDown(`no ${plan.key} now`);
      const version = await truth.sample(plan.key);
      const inner: Record<string, number> = {};
      for (const name of plan.inner) inner[name] = await this.#readInner(name, isFinal);
      if (plan.loaderTags.length > 0) addTags(...plan.loaderTags);
      await pause(lastsMs - beforeMs);
      return { key: plan.key, version, inner };
    } finally {
      loaded({ op: 'load', key: plan.key, inst, start, end: clock.nowMs(), alone: false });
    }
  }

  /** Inside a loader: through the cache, and not a read of its own in the history. */
  async #readInner(key: string, isFinal: boolean): Promise<number> {
    const { subject, record } = this.options;
    const plan = planOf(key);
    const loads: LoadRecord[] = [];
    let alone = false;
    try {
      const answer = await subject.read(plan, addTags =>
        this.#load(plan, addTags, load => void loads.push(load), isFinal),
      );
      alone = answer.alone;
      return answer.value.version;
    } finally {
      for (const load of loads) record({ ...load, alone });
    }
  }

  // ------------------------------------------------------------------------------------------ writing

  async #writeOne(): Promise<void> {
    const { random } = this.options;
    const kind = random.next();
    if (kind < 0.3) return this.#invalidateTag(random.pick(tags));
    if (kind < 0.4) return this.#set(random.pick(keysThatAreSet));
    if (kind < 0.44) return this.#clear(random.pick(patterns));
    await this.#invalidateKeys(random);
  }

  async #invalidateTag(tag: string): Promise<void> {
    const { subject, truth } = this.options;
    const versions = await truth.change({ raise: changedWithTag(tag), tell: reachedByTag(tag) });
    await this.#invalidate('tag', versions, () => subject.invalidate([], [tag]));
  }

  /** One key, or two in one call. */
  async #invalidateKeys(random: Random): Promise<void> {
    const { subject, truth } = this.options;
    const keys = [...new Set([random.pick(keysInvalidatedByKey), random.pick(keysInvalidatedByKey)])];
    if (random.happens(0.8)) keys.length = 1;
    const versions = await truth.change({ raise: keys, tell: keys });
    await this.#invalidate('key', versions, () => subject.invalidate(keys, []));
  }

  async #clear(pattern: string): Promise<void> {
    const { subject, truth } = this.options;
    const reached = reachedByPattern(pattern);
    const raise = reached.filter(key => planOf(key).written === 'any');
    const versions = await truth.change({ raise, tell: reached });
    await this.#invalidate('pattern', versions, () => subject.clearMatching(pattern));
  }

  /**
   * Raises the version of a key and sets it. A version that was set competes with loads of newer ones, and is known only
   * while its entry is there (docs/cache.md), so one writer at a time: the next one comes when this one is done for good.
   */
  async #set(key: string): Promise<void> {
    const { subject, truth, random } = this.options;
    if (!(await truth.lock(key))) return;
    let confirmed = false;
    try {
      const versions = await truth.change({ raise: [key], tell: [key] });
      const value: Value = { key, version: versions[key]!, inner: {} };
      confirmed = await (random.happens(0.3)
        ? this.#invalidate('key', versions, () => subject.invalidate([key], []))
        : this.#invalidate('set', versions, () => subject.set(planOf(key), value)));
    } finally {
      await truth.unlock(key, confirmed ? 0 : zombieMs);
    }
  }

  async #invalidate(
    how: InvalidationRecord['how'],
    versions: Record<string, number>,
    call: () => Promise<boolean>,
  ): Promise<boolean> {
    const { inst, clock, record } = this.options;
    const start = clock.nowMs();
    let acked = false;
    try {
      acked = await call();
    } catch (error) {
      // The one call that may say so: without Redis nobody knows what a pattern matches.
      if (how !== 'pattern' || !(error instanceof RemoteUnavailableError)) throw error;
    }
    const end = clock.nowMs();
    for (const [key, version] of Object.entries(versions)) {
      record({ op: 'inv', key, how, inst, start, end, version, acked });
    }
    return acked;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
