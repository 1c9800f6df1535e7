import { FakeClock } from '../../../test/fakes/fake-clock';
import { CacheStats } from './stats';
import { parseShare, shareOf, statisticsOfShares, type StatsShare } from './stats-share';

const compression = { compressions: 0, bytesIn: 0, bytesOut: 0 };

async function shareAfter(uptimeMs: number, count: (stats: CacheStats) => void): Promise<StatsShare> {
  const clock = new FakeClock();
  const stats = new CacheStats(clock, compression);
  count(stats);
  await clock.advance(uptimeMs);
  return shareOf(
    window => stats.rows(window),
    window => stats.coveredMs(window),
    { uptimeMs: stats.uptimeMs, entries: 3, bytes: 100 },
  );
}

describe('the counts that instances tell each other', () => {
  it('add up, policy by policy, with what is held and the time that is covered', async () => {
    const one = await shareAfter(1_000, stats => {
      stats.read('api', 'miss', 'cold');
      stats.add('api', 'loads');
      stats.add('api', 'loadMs', 30);
      stats.hit('api', 'l1_hit', 0);
      stats.count('evictions', 2);
    });
    const other = await shareAfter(9_000, stats => {
      stats.read('api', 'miss', 'expired');
      stats.hit('db', 'l1_hit', 0);
    });
    const sum = statisticsOfShares([one, other], 'all');
    expect(sum).toMatchObject({
      uptimeMs: 9_000,
      windowMs: 9_000,
      totals: { gets: 4, loads: 1, loadMs: 30, loadMsSaved: 30 },
      policies: {
        api: { gets: 3, causes: { cold: 1, expired: 1 }, outcomes: { l1_hit: 1, miss: 2 } },
        db: { gets: 1, outcomes: { l1_hit: 1 } },
      },
      tiers: { l1: { evictions: 2, entries: 6, bytes: 200, hits: 2 } },
    });
  });

  it('of none are those of a cache that has done nothing', () => {
    expect(statisticsOfShares([], '5m')).toMatchObject({ uptimeMs: 0, windowMs: 0, totals: { gets: 0 } });
  });

  it('are the same after having been told', async () => {
    const share = await shareAfter(70_000, stats => stats.read('api', 'bypass', undefined));
    expect(parseShare(JSON.stringify(share))).toEqual(share);
    expect(statisticsOfShares([share], '1m').totals.gets).toBe(0);
    expect(statisticsOfShares([share], '5m').totals.gets).toBe(1);
  });

  it('of another version are read as far as they are known', async () => {
    const share = await shareAfter(1, stats => stats.read('api', 'miss', 'cold'));
    const told = JSON.stringify(share).replaceAll('"cold":1', '"tomorrow":1');
    expect(statisticsOfShares([parseShare(told)!], 'all').totals).toMatchObject({
      gets: 1,
      causes: { cold: 0 },
    });
  });

  it.each(['', '7', 'null', '[]', '{}', '{"uptimeMs":1,"entries":1,"bytes":1,"windows":{}}'])(
    'are none in %j',
    text => {
      expect(parseShare(text)).toBeUndefined();
    },
  );

  it('are none with a count that is no number', async () => {
    const share = await shareAfter(1, stats => stats.read('api', 'miss', 'cold'));
    expect(parseShare(JSON.stringify(share).replace('"cold":1', '"cold":"1"'))).toBeUndefined();
  });
});
