import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { MiddlewareLayer, MiddlewareTreatment } from './cache';
import type { AppConfig } from './config/app-config';
import { answerWithin } from './http/answer-timeout.middleware';
import { hostCheck, isForUs } from './http/host-check';
import { jsonBody } from './http/json-body.middleware';
import { assignRequestId, requestIdMiddleware } from './http/request-id.middleware';

/** What every request passes before the router, in this order. A new one needs a line in `onTheFastWay` below. */
export function edgeMiddleware(config: AppConfig): RequestHandler[] {
  return [
    requestIdMiddleware as RequestHandler,
    answerWithin(config.server.handlerTimeoutMs) as RequestHandler,
    helmet(securityHeaders(config)) as RequestHandler,
    hostCheck(allowedHosts(config)) as RequestHandler,
    jsonBody,
  ];
}

/**
 * The same for answers that leave in front of the router: what is done there in place of each middleware. Undefined for one
 * that is not known here, which keeps the routes behind it on the normal way.
 */
export function onTheFastWay(config: AppConfig): (layer: MiddlewareLayer) => MiddlewareTreatment | undefined {
  const hosts = allowedHosts(config);
  const byName: Readonly<Record<string, MiddlewareTreatment>> = {
    requestIdMiddleware: { fields: request => ['X-Request-Id', assignRequestId(request)] },
    answerInTime: 'skip', // the fast way answers at once
    helmetMiddleware: 'constant',
    checkHost: { skipIf: request => isForUs(request, hosts) },
    jsonBody: 'skip',
  };
  // The access log writes a line for an answered request at `debug`; at other levels it has nothing to say here.
  const logsAnswers = config.log.level === 'debug' || config.log.level === 'trace';
  return ({ name, path }) => {
    // Bound by the module of the logger, with the API's prefix and without.
    if (path?.endsWith('/{*splat}')) return logsAnswers ? 'run' : 'skip';
    return path === undefined ? byName[name] : undefined;
  };
}

function allowedHosts({ server }: AppConfig): ReadonlySet<string> | undefined {
  return server.allowedHosts.length === 0 ? undefined : new Set(server.allowedHosts);
}

/** The page at /docs needs inline styles and scripts; outside of production there is no TLS to upgrade to. */
function securityHeaders(config: AppConfig): Parameters<typeof helmet>[0] {
  return {
    contentSecurityPolicy: {
      directives: {
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        upgradeInsecureRequests: config.environment === 'production' ? [] : null,
      },
    },
    strictTransportSecurity: config.environment === 'production',
  };
}
