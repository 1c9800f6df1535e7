import { Logger, Module, type NestModule, type OnApplicationShutdown } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule, ExternalContextCreator } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TieredCache } from '../core';
import { EncodedBodies } from '../http';
import { WarmingService } from '../warming/warming.service';
import { HotKeys } from '../warming/hot-keys';
import { ReadObserver } from '../warming/read-observer';
import { WarmLeader } from '../warming/warm-leader';
import { WarmRunner } from '../warming/warm-runner';
import { WarmUpRegistry } from '../warming/warm-up.registry';
import { CacheInterceptor } from './cache.interceptor';
import { CacheDoctor } from './cache-doctor';
import { CacheEventLog } from './cache-event-log';
import { CacheInvalidation } from './cache-invalidation';
import { cacheManagerProviders } from './cache-manager.provider';
import { cacheManagerPolicy } from './keyv-store';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  ConfigurableModuleClass,
  type CacheModuleOptions,
} from './cache.module-definition';
import { CachedMethodExplorer } from './cached-method.explorer';
import { CachedPaths } from './cached-paths';
import { CachedRoutes } from './cached-routes';
import { createTieredCache } from './create-cache';
import { Fleet } from './fleet-statistics';
import { FastPathService } from './fast-path.service';
import { InternalRequests } from './internal-requests';
import { InvalidationInterceptor } from './invalidation.interceptor';
import { KeyHeads } from './key-heads';
import { PolicyTable } from './policy-table';
import { putFirst } from './put-first';
import { ReadEvidence } from './read-evidence';
import { SentResponses } from './sent-responses';
import { TelemetryService } from './telemetry.service';

/**
 * The cache as a module: `CacheModule.forRoot(options)` or `forRootAsync`, global unless `isGlobal: false`. It gives
 * `TieredCache` by its class, `CACHE_MANAGER`, the interceptors of the decorators, and warming.
 */
@Module({
  imports: [DiscoveryModule, ScheduleModule.forRoot()],
  providers: [
    {
      provide: PolicyTable,
      inject: [CACHE_MODULE_OPTIONS],
      useFactory: (options: CacheModuleOptions) => new PolicyTable(options.policies),
    },
    {
      provide: TieredCache,
      inject: [CACHE_MODULE_OPTIONS, PolicyTable],
      useFactory: async (options: CacheModuleOptions, policies: PolicyTable) => {
        const cache = createTieredCache(options, [...policies.all(), cacheManagerPolicy]);
        // Whoever invalidates at the start should not find Redis away that is only not attached yet.
        await cache.ready();
        return cache;
      },
    },
    { provide: KeyHeads, useFactory: () => new KeyHeads() },
    { provide: SentResponses, useFactory: () => new SentResponses() },
    {
      provide: EncodedBodies,
      inject: [CACHE_MODULE_OPTIONS],
      useFactory: ({ maxEncodedBytes = cacheModuleDefaults.maxEncodedBytes }: CacheModuleOptions) =>
        new EncodedBodies(maxEncodedBytes),
    },
    ReadEvidence,
    Fleet,
    FastPathService,
    InternalRequests,
    CachedRoutes,
    CachedPaths,
    CacheInvalidation,
    CacheEventLog,
    TelemetryService,
    CachedMethodExplorer,
    CacheInterceptor,
    { provide: APP_INTERCEPTOR, useExisting: CacheInterceptor },
    { provide: APP_INTERCEPTOR, useClass: InvalidationInterceptor },
    ...cacheManagerProviders,
    ReadObserver,
    CacheDoctor,
    HotKeys,
    WarmLeader,
    WarmRunner,
    WarmUpRegistry,
    WarmingService,
  ],
  exports: [
    TieredCache,
    PolicyTable,
    Fleet,
    CacheDoctor,
    WarmingService,
    ...cacheManagerProviders.map(provider => (provider as { provide: string }).provide),
  ],
})
export class CacheModule extends ConfigurableModuleClass implements NestModule, OnApplicationShutdown {
  constructor(
    private readonly cache: TieredCache,
    private readonly interceptor: CacheInterceptor,
    private readonly external: ExternalContextCreator,
  ) {
    super();
  }

  /** Adds no middleware: this is the one moment at which all interceptors are known and no route has taken them yet. */
  configure(): void {
    if (putFirst(this.external, this.interceptor)) return;
    new Logger('Cache').warn(
      'this version of Nest does not show its interceptors: CacheModule has to be the first to provide one',
    );
  }

  /** After the HTTP server is closed and warming has ended. Connections belong to whoever made them. */
  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
  }
}
