import { Injectable, Logger } from '@nestjs/common';
import { TieredCache } from '../core';
import type {
  InvalidatesOptions,
  MethodWriteContext,
  RouteWriteContext,
} from './decorators/invalidates-cache.decorator';

/** Makes what `@InvalidatesCache` declares, once the write that it stands on has succeeded. */
@Injectable()
export class CacheInvalidation {
  readonly #logger = new Logger('Cache');

  constructor(private readonly cache: TieredCache) {}

  /**
   * Resolves when the invalidation is made, or queued because Redis is away. Never rejects: the write has happened, and
   * an answer that says otherwise would make its caller repeat it. What goes wrong is logged as an error.
   */
  async after(
    where: string,
    options: InvalidatesOptions,
    context: RouteWriteContext & MethodWriteContext,
  ): Promise<void> {
    try {
      const tags = typeof options.tags === 'function' ? options.tags(context) : (options.tags ?? []);
      const keys = typeof options.keys === 'function' ? options.keys(context) : (options.keys ?? []);
      await this.cache.invalidate({ tags, keys });
    } catch (error) {
      this.#logger.error(`${where} has written, but what it made invalid could not be invalidated`, error);
    }
  }
}
