import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MachineReader, MachineUnreadableError, type MachineQuestions } from './machine-reader';
import { ProgramStarter } from './programs/program-starter';

/** How often the CPU is looked at, in milliseconds: its percentages are of the time between two looks. */
const samplePeriodMs = 5_000;
/** The first sample comes so long after the start. */
const firstSampleMs = 500;
/** A look at the CPU is shared for so long; over shorter times its percentages are noise. */
const minSampleWindowMs = 400;
/** A table of processes is shared for so long; over shorter times their CPU shares are noise. */
const minProcessPeriodMs = 2_000;

export interface CpuSample {
  /** Of all cores together, from 0 to 100. */
  percent: number;
  userPercent: number;
  systemPercent: number;
  perCore: number[];
  /** Length of the time that the percentages are of. */
  windowMs: number;
}

export interface ProcessTable {
  processes: MachineQuestions['processes'];
  /** Length of the time that the CPU shares are of; null for the first table, whose shares are of each process's whole life. */
  windowMs: number | null;
}

/** Facts about this host. What cannot be read is null; nothing is made up. */
@Injectable()
export class Machine implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger('Hardware');
  private readonly reader: MachineReader;
  private readonly closed = new AbortController();
  private readonly unreadable = new Set<string>();
  private sample: CpuSample | null = null;
  private lookedAtMs = 0;
  private looking: Promise<void> | undefined;
  private sampling: Promise<void> = Promise.resolve();
  private firstSample: Promise<void> = Promise.resolve();
  private table: { atMs: number; answer: Promise<ProcessTable | null> } | undefined;
  private processesReadAtMs: number | undefined;
  private description: Promise<MachineQuestions['cpu'] | null> | undefined;

  constructor(starter: ProgramStarter) {
    this.reader = new MachineReader(starter);
  }

  onModuleInit(): void {
    let done = (): void => undefined;
    this.firstSample = new Promise(resolve => (done = resolve));
    this.sampling = this.keepSampling(done);
  }

  async onModuleDestroy(): Promise<void> {
    this.closed.abort();
    this.reader.close();
    await this.sampling;
  }

  /** Shares of the CPU over the last seconds; waits for the first sample, half a second after the start. */
  async cpuSample(): Promise<CpuSample | null> {
    await this.firstSample;
    return this.sample;
  }

  /** The same of the time up to now, unless there was a look a moment ago. */
  async freshCpuSample(): Promise<CpuSample | null> {
    await this.firstSample;
    await this.look();
    return this.sample;
  }

  /** What the CPU is; asked until it is known. */
  cpuDescription(): Promise<MachineQuestions['cpu'] | null> {
    this.description ??= this.ask('cpu').then(description => {
      if (!description) this.description = undefined;
      return description;
    });
    return this.description;
  }

  /** Clock of the cores in MHz, on average. */
  async frequencyMhz(): Promise<number | null> {
    const speed = await this.ask('cpuCurrentSpeed');
    return speed && speed.avg > 0 ? Math.round(speed.avg * 1_000) : null;
  }

  memory(): Promise<MachineQuestions['mem'] | null> {
    return this.ask('mem');
  }

  disks(): Promise<MachineQuestions['fsSize'] | null> {
    return this.ask('fsSize');
  }

  network(): Promise<MachineQuestions['networkStats'] | null> {
    return this.ask('networkStats');
  }

  async gpus(): Promise<MachineQuestions['graphics']['controllers'] | null> {
    const graphics = await this.ask('graphics');
    return graphics && graphics.controllers.length > 0 ? graphics.controllers : null;
  }

  /** The processes; callers within two seconds share one table. */
  async processes(): Promise<ProcessTable | null> {
    const nowMs = performance.now();
    if (!this.table || nowMs - this.table.atMs >= minProcessPeriodMs) {
      this.table = { atMs: nowMs, answer: this.readProcesses(nowMs) };
    }
    return this.table.answer;
  }

  /** Load averages; null where the system has none. */
  load(): readonly [number, number, number] | null {
    const [one = 0, five = 0, fifteen = 0] = os.loadavg();
    return process.platform === 'win32' ? null : [one, five, fifteen];
  }

  /** Seconds since this machine started. */
  uptimeSeconds(): number {
    return Math.floor(os.uptime());
  }

  /** What the container may use, where there is such a limit. */
  memoryLimitBytes(): number | null {
    const limit = process.constrainedMemory();
    return limit > 0 && limit <= os.totalmem() ? limit : null;
  }

  private async readProcesses(nowMs: number): Promise<ProcessTable | null> {
    const before = this.processesReadAtMs;
    const processes = await this.ask('processes');
    // A machine has processes: an empty table means that the program that lists them (`ps`) is missing.
    if (!processes || processes.list.length === 0) return null;
    this.processesReadAtMs = nowMs;
    return { processes, windowMs: before === undefined ? null : Math.round(nowMs - before) };
  }

  private async keepSampling(afterFirst: () => void): Promise<void> {
    const { signal } = this.closed;
    // What came before the first look is the load since the machine started: a baseline and no sample.
    this.lookedAtMs = performance.now();
    await this.ask('currentLoad');
    for (let waitMs = firstSampleMs; !signal.aborted; waitMs = samplePeriodMs) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch((error: Error) => {
        if (error.name !== 'AbortError') throw error;
      });
      if (signal.aborted) break;
      await this.look();
      afterFirst();
    }
    afterFirst();
  }

  /** Takes the sample of the time since the look before, unless that was a moment ago; those who look at once share one. */
  private look(): Promise<void> {
    if (!this.looking && performance.now() - this.lookedAtMs < minSampleWindowMs) return Promise.resolve();
    this.looking ??= this.takeSample().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async takeSample(): Promise<void> {
    const nowMs = performance.now();
    const load = await this.ask('currentLoad');
    this.sample = load && {
      percent: load.currentLoad,
      userPercent: load.currentLoadUser,
      systemPercent: load.currentLoadSystem,
      perCore: load.cpus.map(core => core.load),
      windowMs: Math.round(nowMs - this.lookedAtMs),
    };
    this.lookedAtMs = nowMs;
  }

  /** Null when it cannot be read; said once for each question until it can be read again. */
  private async ask<Q extends keyof MachineQuestions>(question: Q): Promise<MachineQuestions[Q] | null> {
    try {
      const answer = await this.reader.ask(question);
      this.unreadable.delete(question);
      return answer;
    } catch (error) {
      if (!(error instanceof MachineUnreadableError)) throw error;
      if (!this.closed.signal.aborted && !this.unreadable.has(question))
        this.log.warn(`${question} cannot be read: ${error.message}`);
      this.unreadable.add(question);
      return null;
    }
  }
}
