import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { TieredCache, type Lead } from '../cache';
import { AppConfig } from '../config/app-config';
import { reasonOf } from '../database/database-errors';
import { AgentProber } from './agent-prober';
import { AgentsRepository } from './agents.repository';

const job = 'agents-watch';
/** Longer than a page takes; an instance that leads and is gone is missed for so long. */
const leaseMs = 20_000;
/** Agents that are probed between two looks at whether this instance still leads, for each that is probed at once. */
const pagePerProbe = 4;
/** Agents whose status one statement changes. */
const settledAtOnce = 500;

export interface WatchCounts {
  /** Rounds that this instance has brought to their end, and that failed or went to another instance on the way. */
  readonly ended: number;
  readonly cutShort: number;
}

/**
 * Keeps the status of agents true: at every interval one instance finds those that have fallen silent and probes those that
 * have a URL. Who does it is decided in Redis, round by round: when the leader is gone, the next round is another's, which goes
 * on where that one was. Alone, or while Redis is away, each instance does it: what is found is the same.
 */
@Injectable()
export class AgentWatch implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #log = new Logger('Agents');
  #round: Promise<void> | undefined;
  #isClosing = false;
  #isFailing = false;
  #ended = 0;
  #cutShort = 0;

  constructor(
    private readonly config: AppConfig,
    private readonly cache: TieredCache,
    private readonly scheduler: SchedulerRegistry,
    private readonly repository: AgentsRepository,
    private readonly prober: AgentProber,
  ) {}

  get counts(): WatchCounts {
    return { ended: this.#ended, cutShort: this.#cutShort };
  }

  onApplicationBootstrap(): void {
    const { watchIntervalMs } = this.config.agents;
    if (watchIntervalMs === 0) return;
    const timer = setInterval(() => this.#tick(), watchIntervalMs);
    timer.unref();
    this.scheduler.addInterval(job, timer);
  }

  /** Gives up what is under way, and resolves when it has ended. */
  async onModuleDestroy(): Promise<void> {
    this.#isClosing = true;
    this.prober.stop();
    if (this.scheduler.doesExist('interval', job)) this.scheduler.deleteInterval(job);
    await this.#round;
  }

  /** A round that takes longer than the interval is not overtaken by the next one. */
  #tick(): void {
    this.#round ??= this.#lead()
      .catch((error: unknown) => this.#report(error))
      .finally(() => (this.#round = undefined));
  }

  async #lead(): Promise<void> {
    const round = Math.floor(Date.now() / this.config.agents.watchIntervalMs);
    const lead = await this.cache.cluster.lead(job, round, leaseMs);
    if (lead === 'busy' || lead === 'over') return;
    let isDone = false;
    try {
      isDone = await this.#watch(lead);
      if (this.#isFailing) this.#log.log('the status of agents is kept up again');
      this.#isFailing = false;
    } finally {
      if (isDone) this.#ended += 1;
      else this.#cutShort += 1;
      await lead.end(isDone);
    }
  }

  /** Whether it came to the end. */
  async #watch(lead: Lead): Promise<boolean> {
    const pageSize = pagePerProbe * this.config.agents.probeConcurrency;
    let settledAtMs = -Infinity;
    for (let after = lead.progress ?? ''; ;) {
      // A round over many hosts that do not answer takes minutes: who falls silent meanwhile is not found with the next one alone.
      if (performance.now() - settledAtMs >= this.config.agents.watchIntervalMs) {
        if (!(await this.#settle(lead, after))) return false;
        settledAtMs = performance.now();
      }
      const page = await this.repository.withUrl(after, pageSize);
      const probed = await this.prober.probeAll(page);
      if (this.#isClosing) return false;
      const known = new Map(page.map(agent => [agent.id, agent.known]));
      await this.repository.noteProbes(probed.filter(({ id, result }) => known.get(id) !== result));
      const last = page.at(-1);
      if (!last || page.length < pageSize) return true;
      after = last.id;
      if (!(await lead.keep(after))) return false;
    }
  }

  /** In statements of a bounded size; whether this instance still leads. */
  async #settle(lead: Lead, progress: string): Promise<boolean> {
    while ((await this.repository.settle(settledAtOnce)).length === settledAtOnce) {
      if (this.#isClosing || !(await lead.keep(progress))) return false;
    }
    return true;
  }

  /** Once for each change of state: while the database is away every round fails. */
  #report(error: unknown): void {
    if (!this.#isFailing) this.#log.warn(`the status of agents cannot be kept up: ${reasonOf(error)}`);
    this.#isFailing = true;
  }
}
