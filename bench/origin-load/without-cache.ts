import type { CallHandler, ExecutionContext } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { CachedMethodExplorer } from '../../src/cache/nest/cached-method.explorer';
import { CacheInterceptor } from '../../src/cache/nest/cache.interceptor';

/**
 * The application as it would be if nobody had written a cache decorator: routes run their handlers and methods themselves, each
 * time. Before the application is made. For the other side of the comparison alone: there is no such setting, because an instance
 * without the cache would not invalidate what others hold. Invalidations are made here all the same; they find nothing.
 */
export function withoutCache(): void {
  CacheInterceptor.prototype.intercept = (
    _context: ExecutionContext,
    next: CallHandler,
  ): Promise<Observable<unknown>> => Promise.resolve(next.handle());
  const explorer = CachedMethodExplorer.prototype as unknown as {
    cachedMethod(where: string, owner: object, original: object, run: unknown): unknown;
  };
  explorer.cachedMethod = (_where, _owner, _original, run) => run;
}
