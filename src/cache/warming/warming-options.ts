import { CacheOptionsError } from '../core';
import { cacheModuleDefaults, type WarmingOptions } from '../nest/cache.module-definition';

const ranges = {
  concurrency: [1, 64],
  loadsPerSecond: [0, 10_000],
  deadlineMs: [100, 3_600_000],
  readyDeadlineMs: [0, 600_000],
  hotKeys: [0, 256],
  leaseMs: [100, 60_000],
} as const;

/**
 * The options of warming, defaults included.
 * @throws CacheOptionsError naming the option, its range and the value
 */
export function warmingOptions(given: WarmingOptions | undefined): Readonly<Required<WarmingOptions>> {
  const options = { ...cacheModuleDefaults.warming, ...given };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value: unknown = options[name as keyof typeof ranges];
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw new CacheOptionsError(
        `warming: ${name} must be a whole number from ${least} to ${most}, not ${String(value)}`,
      );
  }
  return Object.freeze(options);
}
