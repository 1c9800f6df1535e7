import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { catchError, mergeMap, type Observable } from 'rxjs';
import {
  INVALIDATES_METADATA,
  type InvalidatesOptions,
  type MethodWriteContext,
  type RouteWriteContext,
} from './decorators/invalidates-cache.decorator';
import { CacheInvalidation } from './cache-invalidation';

/**
 * Makes the invalidations of `@InvalidatesCache` on routes: after the handler has succeeded and before its answer is
 * sent, so that the client's next read sees what it has written. When the handler throws, only if it may have written.
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
    const where = `${context.getClass().name}.${handler.name}`;
    const written = (): Omit<RouteWriteContext & MethodWriteContext, 'result'> => {
      const { params, query, body } = http.getRequest<Request<Record<string, string>, unknown, unknown>>();
      return { params, query, body, args: [] };
    };
    return next.handle().pipe(
      mergeMap(async (result: unknown) => {
        const { statusCode } = http.getResponse<Response>();
        if (statusCode >= 200 && statusCode < 400)
          await this.invalidation.after(where, found, { ...written(), result });
        return result;
      }),
      catchError(async (error: unknown) => {
        await this.invalidation.afterFailure(where, found, written(), error);
        throw error;
      }),
    );
  }
}
