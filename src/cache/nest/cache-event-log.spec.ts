import { Logger } from '@nestjs/common';
import { CacheEvents, type TieredCache } from '../core';
import { CacheEventLog } from './cache-event-log';

describe('the log of the cache', () => {
  const events = new CacheEvents();
  const log = new CacheEventLog({ events } as TieredCache);
  let lines: unknown[];

  beforeEach(() => {
    lines = [];
    for (const level of ['log', 'warn', 'error', 'debug'] as const) {
      jest
        .spyOn(Logger.prototype, level)
        .mockImplementation((...args: unknown[]) => void lines.push(args[0]));
    }
  });

  it('has one line for each change of state', () => {
    events.emit('remote', { state: 'down', breaker: 'open', reason: 'connection lost' });
    events.emit('remote', { state: 'down', breaker: 'open', reason: 'connection lost' });
    events.emit('remote', { state: 'up', breaker: 'closed' });
    expect(lines).toEqual([
      'Redis is down, breaker open: connection lost; answers come from the source',
      'Redis is there',
    ]);
  });

  it('says which part of Redis is away, and when all of it is back', () => {
    const reason = '1 of 3 nodes away: 10.0.0.1:7000 timeout';
    events.emit('remote', { state: 'up', breaker: 'open', reason });
    events.emit('remote', { state: 'up', breaker: 'open', reason });
    events.emit('remote', { state: 'up', breaker: 'closed' });
    expect(lines).toEqual([
      `Redis is there in part, ${reason}; what stands there comes from the source`,
      'Redis is there',
    ]);
  });

  it('says as an error that changes are not heard, because nothing else would show it', () => {
    const error = jest.mocked(Logger.prototype.error);
    events.emit('tracking', { reason: 'no canary received within 2000 ms' });
    expect(error).toHaveBeenCalledTimes(1);
    events.emit('tracking', { reason: undefined });
    expect(lines).toEqual([
      'changes in Redis are not heard: no canary received within 2000 ms; the cache runs without copies in memory until they are',
      'changes in Redis are heard again: copies in memory are served',
    ]);
  });

  it('has one line for each outage that queues invalidations', () => {
    for (const queued of [true, true, false, true]) events.emit('invalidate', { keys: 1, tags: 0, queued });
    expect(lines).toHaveLength(2);
  });

  it('names refreshes that failed, whose callers were answered', () => {
    events.emit('load', {
      key: 'a',
      policy: 'api',
      durationMs: 1,
      error: new Error('source away'),
      refresh: true,
    });
    events.emit('load', {
      key: 'a',
      policy: 'api',
      durationMs: 1,
      error: new Error('source away'),
      refresh: false,
    });
    expect(lines).toEqual(['a refresh under the policy api failed: source away']);
  });

  it('says why a refresh failed, and not the statement of which the source tells around that', () => {
    const cause = new Error('the database cannot be reached', { cause: 'ECONNREFUSED' });
    const error = new Error('Failed query: select 1 where id = $1 params: secret', { cause });
    events.emit('load', { key: 'a', policy: 'api', durationMs: 1, error, refresh: true });
    expect(lines).toEqual(['a refresh under the policy api failed: the database cannot be reached']);
  });

  it('ends with the application', () => {
    log.onApplicationShutdown();
    events.emit('remote', { state: 'down', breaker: 'open' });
    expect(lines).toEqual([]);
  });
});
