import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { TieredCache } from '../core';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from './cache.module-definition';
import type {
  InvalidatesOptions,
  MethodWriteContext,
  RouteWriteContext,
} from './decorators/invalidates-cache.decorator';

type WriteContext = RouteWriteContext & MethodWriteContext;

/** Writes of unknown outcome that are waited for at most; what any more of them made invalid is dropped at once. */
const maxUnsettled = 1_000;

/** Makes what `@InvalidatesCache` declares, around the write that it stands on. */
@Injectable()
export class CacheInvalidation implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Cache');
  readonly #unsettled = new Set<() => Promise<void>>();
  #isClosing = false;

  constructor(
    private readonly cache: TieredCache,
    @Inject(CACHE_MODULE_OPTIONS)
    private readonly options: Pick<CacheModuleOptions, 'outcomeUnknown'>,
  ) {}

  /**
   * Of a write that has succeeded. Resolves when the invalidation is made, or queued because Redis is away. Never rejects: the write
   * has happened, and an answer that says otherwise would make its caller repeat it. What goes wrong is logged as an error.
   */
  async after(where: string, options: InvalidatesOptions, context: WriteContext): Promise<void> {
    try {
      const tags = typeof options.tags === 'function' ? options.tags(context) : (options.tags ?? []);
      const keys = typeof options.keys === 'function' ? options.keys(context) : (options.keys ?? []);
      await this.cache.invalidate({ tags, keys });
    } catch (error) {
      this.#logger.error(`${where} has written, but what it made invalid could not be invalidated`, error);
    }
  }

  /**
   * The same of a write that has failed, if it may have happened all the same: when that is settled. Not before, because the database is
   * away: what was dropped could not be loaded again, and what is cached is to be served meanwhile.
   */
  async afterFailure(
    where: string,
    options: InvalidatesOptions,
    context: Omit<WriteContext, 'result'>,
    error: unknown,
  ): Promise<void> {
    const settled = this.options.outcomeUnknown?.(error);
    if (!settled) return;
    const make = async (): Promise<void> => {
      if (this.#unsettled.delete(make)) await this.after(where, options, { ...context, result: undefined });
    };
    const isTooMany = this.#unsettled.size >= maxUnsettled;
    this.#unsettled.add(make);
    if (this.#isClosing || isTooMany) await make();
    else void settled.then(make);
  }

  /** What is still not settled may have happened. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#unsettled].map(make => make()));
  }
}
