import { Injectable, Logger } from '@nestjs/common';
import { ProblemException } from '../../http/problem.exception';
import { HardwareCountsService } from '../hardware-counts.service';
import { decideAlert, isGone, maxUnread, unreadSpan } from './alert-decision';
import { AlertsRepository, type AlertFilter, type AlertRow } from './alerts.repository';
import type { MonitoringConfig } from './monitoring-config';
import { resourceDescriptions, resources, shownValue, watchedValue, type Resource } from './resources';
import { SamplesRepository, type Sample } from './samples.repository';

const alertIdPattern = /^[1-9]\d{0,14}$/;

interface AlertChange {
  readonly resource: Resource;
  readonly to: 'raise' | 'clear';
  readonly value: number | null;
}

/** The alerts of the hosts: raised and cleared from their recorded samples, seen by administrators. */
@Injectable()
export class AlertsService {
  readonly #log = new Logger('Hardware');

  constructor(
    private readonly repository: AlertsRepository,
    private readonly samples: SamplesRepository,
    private readonly counts: HardwareCountsService,
  ) {}

  /** One page, the latest first, and the `before` of the next one. */
  async page(filter: AlertFilter): Promise<{ rows: AlertRow[]; nextBefore: number | null }> {
    const rows = await this.repository.page({ ...filter, limit: filter.limit + 1 });
    const page = rows.slice(0, filter.limit);
    return { rows: page, nextBefore: rows.length > page.length ? (page.at(-1)?.id ?? null) : null };
  }

  /**
   * Notes that somebody has seen an alert; it stays with the first one who did.
   * @throws ProblemException 404
   */
  async acknowledge(id: string, by: string): Promise<AlertRow> {
    const row = alertIdPattern.test(id) ? await this.repository.acknowledge(Number(id), by) : null;
    if (!row)
      throw new ProblemException(404, 'ALERT_NOT_FOUND', 'Alert not found', 'There is no alert of this id.');
    return row;
  }

  /**
   * Looks at the latest samples of a host after the one of `tick` was written, and raises and clears what they ask for. A
   * sample that is older than twice the time that the samples of a threshold take is not among them: what happened
   * before a pause says nothing of now.
   */
  async follow(host: string, tick: number, config: MonitoringConfig): Promise<void> {
    const spanOf = (samples: number): number => tick - 2 * samples * config.intervalSeconds;
    const most = Math.max(1, ...resources.map(resource => config.thresholds[resource]?.samples ?? 1));
    const recent = await this.samples.latest(host, spanOf(most), most);
    let longest: Promise<Sample[]> | undefined;
    const longer = (): Promise<Sample[]> =>
      (longest ??= this.samples.latest(host, tick - unreadSpan(most, config.intervalSeconds), maxUnread));
    const open = await this.repository.openOf(host);
    const changes: AlertChange[] = [];
    for (const resource of resources) {
      const threshold = config.thresholds[resource];
      const oldest = spanOf(threshold?.samples ?? 1);
      const values = recent
        .filter(each => each.tick > oldest)
        .map(({ reading }) => watchedValue(resource, reading));
      let decision = decideAlert(open.has(resource), threshold, values);
      if (threshold && open.has(resource) && values[0] === null) {
        const seen = (await longer()).map(each => ({
          tick: each.tick,
          value: watchedValue(resource, each.reading),
        }));
        if (isGone(seen, threshold.samples)) decision = 'clear';
      }
      if (decision) changes.push({ resource, to: decision, value: threshold ? (values[0] ?? null) : null });
    }
    if (changes.length > 0) await this.record(host, config, changes);
  }

  private async record(
    host: string,
    config: MonitoringConfig,
    changes: readonly AlertChange[],
  ): Promise<void> {
    const at = new Date().toISOString();
    for (const { resource, to, value } of changes) {
      const threshold = config.thresholds[resource];
      const { what } = resourceDescriptions[resource];
      if (to === 'clear') {
        if (!(await this.repository.clear(host, resource, at, value))) continue;
        this.counts.monitoring.cleared += 1;
        const gone = threshold ? 'cannot be read any more' : 'is not watched any more';
        this.#log.log(
          `${what} on ${host} ${value === null ? gone : `is ${shownValue(resource, value)} again`}`,
        );
      } else if (threshold && value !== null) {
        if (!(await this.repository.raise(host, resource, at, value, threshold))) continue;
        this.counts.monitoring.raised += 1;
        const limit = shownValue(resource, threshold.raise);
        this.#log.warn(`${what} on ${host} is ${shownValue(resource, value)}; its limit is ${limit}`);
      }
    }
  }
}
