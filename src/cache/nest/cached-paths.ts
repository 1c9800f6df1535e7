import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CacheOptionsError } from '../core';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
} from './cache.module-definition';
import { CACHED_METADATA } from './decorators/cached.decorator';

interface Layer {
  route?: { path: string; stack: { handle: object }[] };
}

/**
 * The full paths of routes, with prefix and version, as the router has them. Nest copies a handler's metadata to what it
 * registers with Express, and by that metadata a path is found.
 */
@Injectable()
export class CachedPaths implements OnApplicationBootstrap {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CACHE_MODULE_OPTIONS) private readonly options: CacheModuleOptions,
  ) {}

  /** @throws CacheOptionsError naming a path that is cached and must not be */
  onApplicationBootstrap(): void {
    const never = new Set(this.options.neverCachedPaths ?? cacheModuleDefaults.neverCachedPaths);
    for (const { path, handle } of this.routes()) {
      if (never.has(path) && Reflect.hasMetadata(CACHED_METADATA, handle)) {
        throw new CacheOptionsError(
          `the route ${path} must not be cached: its answer has to come from the source each time`,
        );
      }
    }
  }

  /** Paths of the routes whose handler carries exactly this metadata value. */
  withMetadata(key: string, value: unknown): string[] {
    return this.routes()
      .filter(({ handle }) => Reflect.getMetadata(key, handle) === value)
      .map(({ path }) => path);
  }

  private routes(): { path: string; handle: object }[] {
    const app = this.host.httpAdapter?.getInstance<{ router?: { stack?: Layer[] } } | undefined>();
    return (app?.router?.stack ?? []).flatMap(({ route }) =>
      route ? route.stack.map(({ handle }) => ({ path: route.path, handle })) : [],
    );
  }
}
