import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { declaredInputOf, refuseUndeclaredBody, refuseUndeclaredQuery } from './declared-input';

/**
 * Refuses what a route does not declare: a body, and behind the guards of guarded routes a query, so that who may not come in is
 * told that and not what is wrong with the request. The queries of open routes have been checked by `QueryGuard`, in front of the
 * cache. No pipe could do it: pipes run for what is declared alone.
 */
export class UndeclaredInputInterceptor implements NestInterceptor {
  /** @throws ProblemException 400 */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>();
    const declared = declaredInputOf(context);
    if (declared.isGuarded) refuseUndeclaredQuery(request.query, declared);
    refuseUndeclaredBody(request.body, declared);
    return next.handle();
  }
}
