import { Injectable } from '@nestjs/common';
import { Database } from '../database/database';
import { PrometheusRegistry } from './prometheus-registry';

/** What the database was asked. */
@Injectable()
export class DatabaseMetrics {
  constructor({ collected }: PrometheusRegistry, database: Database) {
    collected.counter('database_queries_total', 'SQL queries run.', [], () => [[{}, database.queries]]);
  }
}
