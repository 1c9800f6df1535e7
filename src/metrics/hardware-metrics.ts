import { Injectable } from '@nestjs/common';
import { HardwareCountsService } from '../hardware/hardware-counts.service';
import { PrometheusRegistry } from './prometheus-registry';

/** What the stream of metrics and the monitoring of this host have done. */
@Injectable()
export class HardwareMetrics {
  constructor({ collected }: PrometheusRegistry, { stream, monitoring }: HardwareCountsService) {
    collected.gauge('hardware_stream_clients', 'Clients of the stream of metrics now.', [], () => [
      [{}, stream.clients],
    ]);
    const ofStream = (name: string, help: string, read: () => number): void =>
      collected.counter(`hardware_stream_${name}_total`, help, [], () => [[{}, read()]]);
    ofStream('readings', 'Readings of the machine for the stream.', () => stream.readings);
    ofStream('events', 'Events written, to all clients together.', () => stream.events);
    ofStream('skipped', 'Events that a client did not get because it did not keep up.', () => stream.skipped);
    ofStream('refused', 'Clients that found no place.', () => stream.refused);
    ofStream('stalled', 'Clients that were let go because they took nothing.', () => stream.stalled);
    collected.counter(
      'hardware_samples_total',
      'Ticks of the monitoring: written here, by another instance of this host before, or not at all.',
      ['result'],
      () =>
        (['written', 'duplicate', 'failed'] as const).map(
          result => [{ result }, monitoring[result]] as const,
        ),
    );
    collected.counter('hardware_samples_pruned_total', 'Samples dropped because of their age.', [], () => [
      [{}, monitoring.pruned],
    ]);
    collected.counter('hardware_alert_changes_total', 'Alerts raised and cleared here.', ['change'], () =>
      (['raised', 'cleared'] as const).map(change => [{ change }, monitoring[change]] as const),
    );
  }
}
