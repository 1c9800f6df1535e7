import { Inject, Injectable } from '@nestjs/common';
import { TieredCache } from '../core';
import { diagnose, familyOf, type Diagnosis } from '../doctor';
import { memoryStoreDefaults } from '../memory/memory-store';
import { WarmingService } from '../warming/warming.service';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from './cache.module-definition';
import { KeyHeads } from './key-heads';

/** Before that, what nobody has read may only not have been read yet. */
const minUptimeMs = 30 * 60_000;

/** Explains the hit rate of this instance, and says what would help. */
@Injectable()
export class CacheDoctor {
  constructor(
    private readonly cache: TieredCache,
    private readonly heads: KeyHeads,
    private readonly warming: WarmingService,
    @Inject(CACHE_MODULE_OPTIONS) private readonly options: CacheModuleOptions,
  ) {}

  async diagnose(): Promise<Diagnosis> {
    const statistics = this.cache.stats('1h');
    const { rate, keys, hitShareOfSize } = this.cache.profile();
    const [server, warmedUnread] = await Promise.all([
      this.cache.remoteInfo(),
      statistics.uptimeMs < minUptimeMs ? [] : this.warming.unread(),
    ]);
    return diagnose({
      statistics,
      keys: keys.map(key => ({ ...key, head: familyOf(key.key, this.heads.taken) })),
      rate,
      hitShareOfSize,
      l1MaxEntries: this.options.l1MaxEntries ?? memoryStoreDefaults.maxEntries,
      l1MaxBytes: this.options.l1MaxBytes ?? memoryStoreDefaults.maxBytes,
      warmedUnread,
      server,
    });
  }
}
