import { emptyCounters, type CacheStatistics } from '../cache';
import { alertsOf, recommendationsOf, type Facts } from './findings';
import type { Check, CheckSummary } from './check-history';

const emptyStatistics = (): CacheStatistics => ({
  uptimeMs: 0,
  windowMs: 0,
  totals: emptyCounters(),
  policies: {},
  tiers: {
    l1: { hits: 0, misses: 0, sets: 0, evictions: 0, entries: 0, bytes: 0 },
    l2: emptyCounters().l2,
  },
  invalidations: { keys: 0, tags: 0, clears: 0, queued: 0 },
  compression: { compressions: 0, bytesIn: 0, bytesOut: 0 },
  corrupt: {},
});
const up: Check = { status: 'up', atMs: 1, responseTimeMs: 1, error: null };
const well: CheckSummary = {
  lastSuccessMs: 1,
  lastFailureMs: null,
  consecutiveFailures: 0,
  uptimePercent: 100,
};

function facts(change: (facts: Facts) => void = () => undefined): Facts {
  const all: Facts = {
    services: {
      database: { check: { ...up }, summary: { ...well } },
      redis: { check: { ...up }, summary: { ...well } },
    },
    cache: {
      status: {
        remote: { mode: 'redis', state: 'up', breaker: 'closed' },
        gate: { open: true, ageMs: 1, lagMs: 1 },
        pendingInvalidations: 0,
        l1Entries: 0,
        l1Bytes: 0,
        loadsInFlight: 0,
      },
      statistics: emptyStatistics(),
      l1MaxEntries: 100,
      l1MaxBytes: 1_000,
    },
    host: { reasons: [] },
    environment: 'production',
    database: { mode: 'server' },
    thresholds: { consecutive_failures: 1, response_time_ms: 1_000, uptime_percent: 99 },
  };
  change(all);
  return all;
}

describe('findings about the health', () => {
  it('are none when all is well', () => {
    expect(alertsOf(facts())).toEqual([]);
    expect(recommendationsOf(facts())).toEqual([]);
  });

  it('name a service that is down, how often in a row, and how good it was', () => {
    const all = facts(({ services }) => {
      services['database'] = {
        check: { ...up, status: 'down', error: 'The database does not answer.' },
        summary: { ...well, consecutiveFailures: 3, uptimePercent: 70 },
      } as never;
    });
    expect(alertsOf(all)).toEqual([
      { level: 'critical', source: 'database', message: 'The database does not answer. (3 checks in a row)' },
      { level: 'warning', source: 'database', message: 'It was up for 70 % of the last hour, less than 99.' },
    ]);
    expect(recommendationsOf(all)).toEqual(['Look into database: of the last hour it was up for 70 %.']);
  });

  it.each([
    [{ consecutive_failures: 3 }, { consecutiveFailures: 2 }, 0],
    [{ consecutive_failures: 3 }, { consecutiveFailures: 3 }, 1],
  ])('tell of a service that is down with %j after %j: %i', (thresholds, summary, count) => {
    const all = facts(each => {
      Object.assign(each.thresholds, thresholds);
      Object.assign(each.services['redis']!.check, { status: 'down', responseTimeMs: null });
      Object.assign(each.services['redis']!.summary, summary);
    });
    expect(alertsOf(all)).toHaveLength(count);
  });

  it.each([
    [{ response_time_ms: 50 }, 50, []],
    [{ response_time_ms: 50 }, 50.6, ['It answered after 51 ms, later than 50.']],
    [{ response_time_ms: 0 }, 90_000, []],
  ])('tell of a slow service with %j after %d ms: %j', (thresholds, responseTimeMs, messages) => {
    const all = facts(each => {
      Object.assign(each.thresholds, thresholds);
      each.services['redis']!.check.responseTimeMs = responseTimeMs;
    });
    expect(alertsOf(all).map(({ message }) => message)).toEqual(messages);
  });

  it.each([
    [{ uptime_percent: 50 }, 50, []],
    [{ uptime_percent: 50 }, 49.99, ['It was up for 49.99 % of the last hour, less than 50.']],
    [{ uptime_percent: 0 }, 0, []],
    [{ uptime_percent: 99 }, null, []],
  ])(
    'tell of a service that was away too long with %j at %j %%: %j',
    (thresholds, uptimePercent, messages) => {
      const all = facts(each => {
        Object.assign(each.thresholds, thresholds);
        each.services['redis']!.summary.uptimePercent = uptimePercent;
      });
      expect(alertsOf(all).map(({ message }) => message)).toEqual(messages);
      expect(recommendationsOf(all)).toHaveLength(messages.length);
    },
  );

  it('tell nothing of a service that is not there', () => {
    const all = facts(each => {
      each.services['models'] = {
        check: { ...up, status: 'disabled', responseTimeMs: null },
        summary: { ...well, uptimePercent: null, lastSuccessMs: null },
      };
    });
    expect(alertsOf(all)).toEqual([]);
  });

  it('name an open breaker, a closed gate and invalidations that wait', () => {
    const all = facts(({ cache: { status } }) => {
      status.remote.breaker = 'open';
      status.gate.open = false;
      status.pendingInvalidations = 4;
    });
    expect(alertsOf(all).map(({ source, message }) => [source, message.slice(0, 30)])).toEqual([
      ['cache', 'The circuit breaker to Redis i'],
      ['cache', 'Changes of other instances are'],
      ['cache', '4 invalidations wait for Redis'],
    ]);
  });

  it('ask for Redis and for a database server only where there is none', () => {
    const all = facts(each => {
      each.cache.status.remote = { mode: 'off', state: 'down', breaker: 'closed' };
      each.database.mode = 'embedded';
    });
    expect(alertsOf(all)).toEqual([]);
    expect(recommendationsOf(all).map(text => /REDIS_URL|DATABASE_URL/.exec(text)?.[0])).toEqual([
      'REDIS_URL',
      'DATABASE_URL',
    ]);
  });

  it('explain a poor hit rate by its most frequent cause, once there is enough to say it', () => {
    const withMisses = (count: number): Facts =>
      facts(({ cache: { statistics } }) => {
        const counters = emptyCounters();
        counters.gets = counters.outcomes.miss = count;
        counters.causes.expired = count - 10;
        counters.causes.cold = 10;
        statistics.policies['api'] = counters;
      });
    expect(recommendationsOf(withMisses(99))).toEqual([]);
    expect(recommendationsOf(withMisses(200))).toEqual([
      'Policy api has a hit rate of 0.0 %, and 190 of its 200 misses are expired: a longer TTL of its routes would help, where the data allows it.',
    ]);
  });

  it('ask for a larger memory only when it is full and has dropped something', () => {
    const withL1 = (entries: number, evictions: number): Facts =>
      facts(({ cache: { statistics } }) => void Object.assign(statistics.tiers.l1, { entries, evictions }));
    expect(recommendationsOf(withL1(100, 0))).toEqual([]);
    expect(recommendationsOf(withL1(50, 9))).toEqual([]);
    expect(recommendationsOf(withL1(100, 9))[0]).toContain('has dropped 9 entries');
  });

  it('pass on what is wrong with the host', () => {
    const reason = {
      resource: 'disk',
      level: 'critical',
      value: 97,
      threshold: 95,
      penalty: 40,
      message: 'Use of the fullest disk is 97 %, above 95 %.',
    } as const;
    const all = facts(each => void (each.host = { reasons: [reason] }));
    expect(alertsOf(all)).toEqual([{ level: 'critical', source: 'disk', message: reason.message }]);
    expect(recommendationsOf(all)).toEqual([`Free disk space: ${reason.message}`]);
  });
});
