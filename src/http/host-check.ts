import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemException } from './problem.exception';

/** Probes come from inside of a cluster and name whatever address they were given. */
const probes = /^\/health(?:\/(?:live|ready))?(?:\?|$)/;

/**
 * Whether a request asks for one of the hosts that this application answers to (RFC 9110 §7.4). In the absolute form the
 * target names the host, and the `Host` field does not count (RFC 9112 §3.2.2).
 *
 * @param allowed names in lower case, without ports; undefined: every host
 */
export function isForUs(request: IncomingMessage, allowed: ReadonlySet<string> | undefined): boolean {
  if (allowed === undefined) return true;
  const url = request.url ?? '';
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? request.headers.host ?? '';
  const name = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .toLowerCase();
  return allowed.has(name) || probes.test(url);
}

type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Refuses requests for other hosts with 421, so that nobody can have answers made in another name. */
export function hostCheck(allowed: ReadonlySet<string> | undefined): Middleware {
  return function checkHost(request, _response, next) {
    if (isForUs(request, allowed)) next();
    else
      next(
        new ProblemException(
          421,
          'MISDIRECTED_REQUEST',
          'Misdirected request',
          'This server does not answer for the host that was asked for.',
        ),
      );
  };
}
