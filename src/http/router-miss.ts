import { NotFoundException } from '@nestjs/common';
import type { Request } from 'express';

/** What the framework throws when no route takes a request; for places that answer as the router would. */
export function routerMiss(request: Request): NotFoundException {
  return new NotFoundException(messageOf(request));
}

/** Whether no route took the request; the same exception from a handler means a missing record and has another text. */
export function isRouterMiss(error: unknown, request: Request): boolean {
  return error instanceof NotFoundException && error.message === messageOf(request);
}

function messageOf(request: Request): string {
  return `Cannot ${request.method} ${request.originalUrl}`;
}
