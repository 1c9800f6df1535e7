import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const accepted = /^[A-Za-z0-9._-]{1,64}$/;
const ids = new WeakMap<IncomingMessage, string>();

/**
 * Gives every request an id: the caller's `X-Request-Id` when it is harmless, otherwise a new one. The answer carries it,
 * and so do the log and every problem document.
 */
export function requestIdMiddleware(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  response.setHeader('X-Request-Id', assignRequestId(request));
  next();
}

/** The id of a request, made when it has none yet. */
export function assignRequestId(request: IncomingMessage): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && accepted.test(given) ? given : randomUUID();
  ids.set(request, id);
  return id;
}

/** The id that a request has been given, or undefined before. */
export function requestIdOf(request: IncomingMessage): string | undefined {
  return ids.get(request);
}
