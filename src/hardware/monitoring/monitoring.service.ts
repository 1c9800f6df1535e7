import { Injectable } from '@nestjs/common';
import { ProblemException } from '../../http/problem.exception';
import { contradictionWithin, monitoringContradiction, type MonitoringChange } from './monitoring-config';
import { MonitoringRepository, type StoredMonitoring } from './monitoring.repository';

/** How hosts are watched, and how that is changed. */
@Injectable()
export class MonitoringService {
  constructor(private readonly repository: MonitoringRepository) {}

  current(): Promise<StoredMonitoring> {
    return this.repository.read();
  }

  /**
   * Changes what is given; the rest stays.
   * @throws ProblemException 400 when nothing is given, or the result contradicts itself
   */
  async change(change: MonitoringChange, by: string): Promise<StoredMonitoring> {
    const { intervalSeconds, retentionDays, thresholds = {} } = change;
    const given = [intervalSeconds, retentionDays, ...Object.values(thresholds)];
    if (given.every(value => value === undefined))
      throw invalid('$', 'EMPTY', 'at least one field must be given');
    const refuse = (problem: ReturnType<typeof monitoringContradiction>): void => {
      if (problem) throw invalid(problem.path, 'CONTRADICTION', problem.message);
    };
    refuse(contradictionWithin(change));
    return this.repository.change(change, by, next => refuse(monitoringContradiction(next)));
  }
}

function invalid(path: string, code: string, message: string): ProblemException {
  return new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', `${path}: ${message}`, [
    { path, code, message },
  ]);
}
