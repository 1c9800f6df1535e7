import { CacheOptionsError } from './errors';
import { checkOptions, tokenTtlFor, type TieredCacheOptions } from './options';
import { definePolicy } from './policy';

describe('options of the cache', () => {
  test('have these defaults', () => {
    expect(checkOptions({})).toMatchObject({
      maxL1StalenessMs: 2_000,
      outageTtlMs: 1_000,
      refreshRetryMs: 1_000,
      closeTimeoutMs: 5_000,
      policies: [],
    });
  });

  test('take undefined for "not given"', () => {
    expect(checkOptions({ maxL1StalenessMs: undefined, policies: undefined })).toEqual(checkOptions({}));
  });

  const outside: [keyof TieredCacheOptions, unknown[]][] = [
    ['maxL1StalenessMs', [99, 60_001, 1.5, '500', NaN]],
    ['outageTtlMs', [-1, 2_001, 0.5]],
    ['refreshRetryMs', [0, 60_001, 1.5]],
    ['closeTimeoutMs', [-1, 60_001]],
  ];
  test.each(outside.flatMap(([option, values]) => values.map(value => [option, value] as const)))(
    'refuse %s = %p, naming option and value',
    (option, value) => {
      expect(() => checkOptions({ [option]: value })).toThrow(CacheOptionsError);
      expect(() => checkOptions({ [option]: value })).toThrow(new RegExp(`${option}.*${String(value)}`));
    },
  );

  test('a short bound of staleness shortens the default life in an outage with it', () => {
    expect(checkOptions({ maxL1StalenessMs: 500 }).outageTtlMs).toBe(500);
    expect(() => checkOptions({ maxL1StalenessMs: 500, outageTtlMs: 501 })).toThrow('outageTtlMs');
  });

  test('tokens live twice as long as the longest entry that is known', () => {
    const long = definePolicy('long', { ttlMs: 400_000, staleMs: 100_000 });
    expect(checkOptions({}).tokenTtlMs).toBe(600_000);
    expect(checkOptions({ policies: [long] }).tokenTtlMs).toBe(1_000_000);
  });

  test('tokens of an entry under a policy that was not known outlive that entry too', () => {
    const options = checkOptions({});
    expect(tokenTtlFor(options, definePolicy('short', { ttlMs: 1 }))).toBe(600_000);
    expect(tokenTtlFor(options, definePolicy('long', { ttlMs: 1_000_000 }))).toBe(2_000_000);
  });
});
