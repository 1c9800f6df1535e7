import { Injectable } from '@nestjs/common';
import { Database } from '../database/database';
import { PrometheusRegistry } from './prometheus-registry';

/** What the database was asked. */
@Injectable()
export class DatabaseMetrics {
  constructor({ collected }: PrometheusRegistry, database: Database) {
    collected.counter('database_queries_total', 'SQL queries run.', [], () => [[{}, database.queries]]);
    collected.gauge(
      'database_unsettled_statements',
      'Writes that were handed to a server which never said what became of them.',
      [],
      () => [[{}, database.unsettled]],
    );
  }
}
