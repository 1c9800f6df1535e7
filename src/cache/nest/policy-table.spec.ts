import type { CachedMetadata } from './decorators/cached.decorator';
import { PolicyTable } from './policy-table';

const place = (policy: string, options: CachedMetadata['options'] = {}): CachedMetadata => ({
  policy,
  options,
});

describe('the table of policies', () => {
  it('counts the places under each policy, and those that gave their own durations', () => {
    const table = new PolicyTable();
    table.resolve('Agents.list', place('api', { ttlMs: 30_000 }));
    table.resolve('Health.detailed', place('api', { ttlMs: 30_000, staleMs: 0 }));
    table.resolve('Agents.find', place('db', { staleMs: 0 }));
    expect(table.placesOf('api')).toEqual({ total: 2, ownTtl: 2, ownStale: 1 });
    expect(table.placesOf('db')).toEqual({ total: 1, ownTtl: 0, ownStale: 1 });
    expect(table.placesOf('model')).toEqual({ total: 0, ownTtl: 0, ownStale: 0 });
  });

  it('counts a place once, however often it is resolved', () => {
    const table = new PolicyTable();
    table.resolve('Agents.list', place('api'));
    table.resolve('Agents.list', place('api'));
    expect(table.placesOf('api').total).toBe(1);
  });
});
