import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service';
import { PrometheusRegistry } from './prometheus-registry';

const breakerStates = ['closed', 'open', 'half-open'] as const;

/** What this instance does to keep the status of agents true. */
@Injectable()
export class AgentsMetrics {
  constructor({ collected }: PrometheusRegistry, agents: AgentsService) {
    collected.counter(
      'agents_watch_rounds_total',
      'Rounds of the watch over agents that this instance led, by how they ended.',
      ['outcome'],
      () => {
        const { ended, cutShort } = agents.watchCounts();
        return [
          [{ outcome: 'ended' }, ended],
          [{ outcome: 'cut_short' }, cutShort],
        ];
      },
    );
    collected.counter('agents_probes_total', 'Probes of agents, by how they ended.', ['outcome'], () =>
      [...agents.watchCounts().probes].map(([outcome, count]) => [{ outcome }, count]),
    );
    collected.gauge(
      'agents_probe_breakers',
      'Hosts of agents that were probed, by the state of their breaker.',
      ['state'],
      () => {
        const breakers = agents.breakers();
        return breakerStates.map(state => [
          { state },
          breakers.filter(breaker => breaker.state === state).length,
        ]);
      },
    );
  }
}
