import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { mergeMap, type Observable } from 'rxjs';
import { INVALIDATES_METADATA, type InvalidatesOptions } from './decorators/invalidates-cache.decorator';
import { CacheInvalidation } from './cache-invalidation';

/**
 * Makes the invalidations of `@InvalidatesCache` on routes: after the handler has succeeded and before its answer is
 * sent, so that the client's next read sees what it has written. Nothing when the handler throws.
 */
@Injectable()
export class InvalidationInterceptor implements NestInterceptor {
  readonly #options = new WeakMap<object, InvalidatesOptions | null>();

  constructor(private readonly invalidation: CacheInvalidation) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handler = context.getHandler();
    let options = this.#options.get(handler);
    if (options === undefined) {
      options =
        (Reflect.getMetadata(INVALIDATES_METADATA, handler) as InvalidatesOptions | undefined) ?? null;
      this.#options.set(handler, options);
    }
    if (options === null || context.getType() !== 'http') return next.handle();
    const found = options;
    const http = context.switchToHttp();
    return next.handle().pipe(
      mergeMap(async (result: unknown) => {
        const { params, query, body } = http.getRequest<Request<Record<string, string>, unknown, unknown>>();
        const { statusCode } = http.getResponse<Response>();
        if (statusCode >= 200 && statusCode < 400) {
          const where = `${context.getClass().name}.${handler.name}`;
          await this.invalidation.after(where, found, {
            params,
            query,
            body,
            result,
            args: [],
          });
        }
        return result;
      }),
    );
  }
}
