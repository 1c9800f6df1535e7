import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { requestIdOf } from '../http/request-id.middleware';
import { principalOf, type Principal } from './principal';

/** Who does something, and in which request: for what is written down about it. */
export interface Actor extends Principal {
  readonly requestId: string | undefined;
}

/** Hands the administrator who makes the request to a handler; only for routes with `@AdminOnly()`. */
export const ByActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const request = context.switchToHttp().getRequest<Request>();
  const principal = principalOf(request);
  if (!principal) throw new Error(`${context.getClass().name} asks who acts on a route without a guard`);
  return { ...principal, requestId: requestIdOf(request) };
});
