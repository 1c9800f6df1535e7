import { Injectable } from '@nestjs/common';
import { BrokenCircuitError } from 'cockatiel';
import { AppConfig } from '../config/app-config';
import type { ProbeResult } from './agent-status';
import { HostBreakers } from './host-breakers';
import { AddressRefusedError, probe } from './probe';

/**
 * How a probe ended. `unreachable`: no answer in time. `skipped`: not asked, because the breaker of the host is open, which
 * says the same. `refused`: the address is not one that may be asked, which says nothing of the agent.
 */
export const probeOutcomes = ['healthy', 'unhealthy', 'unreachable', 'skipped', 'refused'] as const;
export type ProbeOutcome = (typeof probeOutcomes)[number];

export interface AgentToProbe {
  readonly id: string;
  readonly url: string;
  /** What the probe before found. */
  readonly known: ProbeResult;
}

export interface ProbedAgent {
  readonly id: string;
  /** What was asked; when the agent has another one by now, the result is nobody's. */
  readonly url: string;
  readonly result: ProbeResult;
}

/** Probes agents: some at once, each host under a breaker of its own. */
@Injectable()
export class AgentProber {
  readonly breakers = new HostBreakers();
  readonly #counts = new Map<ProbeOutcome, number>(probeOutcomes.map(outcome => [outcome, 0]));
  readonly #closing = new AbortController();

  constructor(private readonly config: AppConfig) {}

  /** Probes since the start, by how they ended. */
  get counts(): ReadonlyMap<ProbeOutcome, number> {
    return this.#counts;
  }

  /** Gives up what is under way, for good. */
  stop(): void {
    this.#closing.abort();
  }

  /** Probes all of them, `AGENTS_PROBE_CONCURRENCY` at once. Those that were given up are left out. */
  async probeAll(agents: readonly AgentToProbe[]): Promise<ProbedAgent[]> {
    const probed: ProbedAgent[] = [];
    const queue = agents.values();
    const worker = async (): Promise<void> => {
      for (const { id, url } of queue) {
        if (this.#closing.signal.aborted) return;
        const outcome = await this.#probe(url);
        if (this.#closing.signal.aborted) return; // given up, not unanswered
        this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
        probed.push({ id, url, result: resultOf[outcome] });
      }
    };
    await Promise.all(Array.from({ length: this.config.agents.probeConcurrency }, worker));
    return probed;
  }

  async #probe(url: string): Promise<ProbeOutcome> {
    const { probePrivate } = this.config.agents;
    try {
      // A refusal is no failure of the host: it passes the breaker as a result.
      return await this.breakers.run(new URL(url).host, () =>
        probe(url, { allowPrivate: probePrivate, signal: this.#closing.signal }).catch((error: unknown) => {
          if (error instanceof AddressRefusedError) return 'refused' as const;
          throw error;
        }),
      );
    } catch (error) {
      return error instanceof BrokenCircuitError ? 'skipped' : 'unreachable';
    }
  }
}

const resultOf: Readonly<Record<ProbeOutcome, ProbeResult>> = {
  healthy: 'healthy',
  unhealthy: 'unhealthy',
  unreachable: 'unreachable',
  skipped: 'unreachable',
  refused: 'none',
};
