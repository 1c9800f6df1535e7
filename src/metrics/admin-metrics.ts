import { Injectable } from '@nestjs/common';
import { AuditLog } from '../auth/audit-log';
import { AuthCounts } from '../auth/auth-counts';
import { RateLimiter } from '../auth/rate-limiter';
import { PrometheusRegistry } from './prometheus-registry';

/** What the guard of the admin routes, its limits and the audit log count. */
@Injectable()
export class AdminMetrics {
  constructor({ collected }: PrometheusRegistry, auth: AuthCounts, limiter: RateLimiter, audit: AuditLog) {
    collected.counter(
      'admin_requests_total',
      'Requests to admin routes by what the guard decided.',
      ['outcome'],
      () => [...auth.entries()].map(([outcome, count]) => [{ outcome }, count]),
    );
    collected.gauge('admin_rate_limit_tracked', 'Credentials and addresses counted now.', [], () => [
      [{}, limiter.tracked],
    ]);
    collected.counter(
      'admin_rate_limit_dropped_total',
      'Addresses and credentials dropped for room before their minute ended.',
      [],
      () => [[{}, limiter.dropped]],
    );
    collected.gauge('audit_queued', 'Audit entries that wait for the database.', [], () => [
      [{}, audit.counts.queued],
    ]);
    collected.counter('audit_written_total', 'Audit entries written.', [], () => [
      [{}, audit.counts.written],
    ]);
    collected.counter('audit_dropped_total', 'Audit entries lost because the queue was full.', [], () => [
      [{}, audit.counts.dropped],
    ]);
  }
}
