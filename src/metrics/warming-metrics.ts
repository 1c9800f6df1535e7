import { Injectable } from '@nestjs/common';
import { WarmingService, warmStates, warmTriggers } from '../cache';
import { PrometheusRegistry } from './prometheus-registry';

/** What runs of warming have come to on this instance. */
@Injectable()
export class WarmingMetrics {
  constructor(warming: WarmingService, { collected }: PrometheusRegistry) {
    collected.counter(
      'cache_warm_runs_total',
      'Runs of warming that have ended, by what began them and how they ended.',
      ['trigger', 'state'],
      () =>
        warmTriggers.flatMap(trigger =>
          warmStates
            .filter(state => state !== 'running')
            .map(
              state => [{ trigger, state }, warming.totals.ended.get(`${trigger} ${state}`) ?? 0] as const,
            ),
        ),
    );
    collected.counter(
      'cache_warm_entries_total',
      'Entries that were to be warmed, by what became of them.',
      ['outcome'],
      () => Object.entries(warming.totals.entries).map(([outcome, count]) => [{ outcome }, count]),
    );
    collected.gauge(
      'cache_warm_last_duration_seconds',
      'How long the run of warming took that ended last.',
      [],
      () => {
        const { lastDurationMs } = warming.totals;
        return lastDurationMs === undefined ? [] : [[{}, lastDurationMs / 1_000]];
      },
    );
    collected.gauge('cache_warm_ready', 'Whether critical warming of the start has ended.', [], () => [
      [{}, warming.isReady ? 1 : 0],
    ]);
  }
}
