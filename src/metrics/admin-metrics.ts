import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { AuditLog } from '../auth/audit-log';
import { AuthCounts } from '../auth/auth-counts';
import { RateLimiter } from '../auth/rate-limiter';
import { PrometheusRegistry } from './prometheus-registry';

/** What the guard of the admin routes, its limits and the audit log count, read from them at each scrape. */
@Injectable()
export class AdminMetrics {
  constructor({ registry }: PrometheusRegistry, auth: AuthCounts, limiter: RateLimiter, audit: AuditLog) {
    const registers = [registry];
    const requests: Counter = new Counter({
      name: 'admin_requests_total',
      help: 'Requests to admin routes by what the guard decided.',
      labelNames: ['outcome'],
      registers,
      collect: () => {
        requests.reset();
        for (const [outcome, count] of auth.entries()) requests.inc({ outcome }, count);
      },
    });
    const counter = (name: string, help: string, read: () => number): void => {
      const metric: Counter = new Counter({
        name,
        help,
        registers,
        collect: () => {
          metric.reset();
          metric.inc(read());
        },
      });
    };
    const gauge = (name: string, help: string, read: () => number): void => {
      const metric: Gauge = new Gauge({ name, help, registers, collect: () => metric.set(read()) });
    };
    gauge('admin_rate_limit_tracked', 'Credentials and addresses counted now.', () => limiter.tracked);
    counter(
      'admin_rate_limit_dropped_total',
      'Addresses and credentials dropped for room before their minute ended.',
      () => limiter.dropped,
    );
    gauge('audit_queued', 'Audit entries that wait for the database.', () => audit.counts.queued);
    counter('audit_written_total', 'Audit entries written.', () => audit.counts.written);
    counter(
      'audit_dropped_total',
      'Audit entries lost because the queue was full.',
      () => audit.counts.dropped,
    );
  }
}
