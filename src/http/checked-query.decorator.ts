import { type CanActivate, type ExecutionContext, type Type, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { RequestValidationPipe } from './validation.pipe';

/**
 * Checks the query of a cached route before the cache is asked: pipes run behind it, on a miss alone, so that a query that
 * cannot be answered would cost a look into the cache and a load first.
 * @param query the class that the handler's `@Query()` names
 */
export function CheckedQuery(query: Type<object>): MethodDecorator {
  const pipe = new RequestValidationPipe();
  const guard: CanActivate = {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<Request>();
      await pipe.transform(request.query, { type: 'query', metatype: query });
      return true;
    },
  };
  return UseGuards(guard);
}
