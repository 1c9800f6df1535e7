import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { refuseUnknown } from './unknown-fields';

const isWithoutQuery = 'http:without-query';

/**
 * An open route that takes no query: any parameter is a 400. A request with an undeclared parameter is not cached, so that
 * a query that was ignored would be a way past the cache for everybody. `QueryGuard` refuses it before the cache is asked.
 */
export const NoQuery = (): MethodDecorator =>
  applyDecorators(
    SetMetadata(isWithoutQuery, true),
    ApiResponse({ status: 400, description: 'UNKNOWN_FIELD: there are no parameters' }),
  );

/** Whether a handler is under `NoQuery`. */
export function takesNoQuery(handler: object): boolean {
  return Reflect.getMetadata(isWithoutQuery, handler) === true;
}

/** @throws ProblemException 400 UNKNOWN_FIELD naming the parameters */
export function refuseQuery(query: unknown): void {
  refuseUnknown(Object.keys(query ?? {}));
}
