import { type LoggerService, RequestMethod } from '@nestjs/common';
import { DrizzleQueryError } from 'drizzle-orm';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger, Params } from 'nestjs-pino';
import type { AppConfig } from './config/app-config';
import { assignRequestId } from './http/request-id.middleware';

const maxTextCharacters = 2_000;
const maxCauses = 5;

/**
 * Structured logs with the request's id in every line. A request is logged by its method and path: not by its query,
 * which may hold what should not be kept, nor by its headers. An answered request is a line at `debug`, a refused one at
 * `info`, one that has to come again (503) at `warn`, a failed one at `error`.
 */
export function loggerOptions(config: AppConfig): Params {
  return {
    forRoutes: [{ path: '{*splat}', method: RequestMethod.ALL }],
    pinoHttp: {
      level: config.log.level,
      base: { pid: process.pid },
      genReqId: assignRequestId,
      // The filter has logged the error itself, under the same request id.
      customErrorObject: (_request, _response, _error, line: object) => ({ ...line, err: undefined }),
      customLogLevel: (_request, response, error) => levelOf(response, error),
      serializers: { req: describeRequest, res: describeResponse, err: describeError },
      wrapSerializers: false,
    },
  };
}

/** The contexts under which the framework tells of every module and route that it loads. */
const loadingContexts = new Set<unknown>([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** The logger, with what the framework says while it loads at `debug`; a port in use is told by `main`, once. */
export function quietStart(logger: Logger): LoggerService {
  return {
    log: (message: unknown, ...rest: unknown[]) =>
      loadingContexts.has(rest.at(-1)) ? logger.debug(message, ...rest) : logger.log(message, ...rest),
    error: (message: unknown, ...rest: unknown[]) =>
      rest.at(-1) === 'NestApplication' && /\blisten E[A-Z]+/.test(String(message))
        ? logger.debug(message, ...rest)
        : logger.error(message, ...rest),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(message, ...rest),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(message, ...rest),
    verbose: (message: unknown, ...rest: unknown[]) => logger.verbose(message, ...rest),
    fatal: (message: unknown, ...rest: unknown[]) => logger.fatal(message, ...rest),
  };
}

function levelOf(response: ServerResponse, error?: Error): 'debug' | 'info' | 'warn' | 'error' {
  if (response.statusCode === 503) return 'warn';
  if (error || response.statusCode >= 500) return 'error';
  return response.statusCode >= 400 ? 'info' : 'debug';
}

function describeRequest(request: IncomingMessage & { originalUrl?: string }): object {
  const path = (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
  return {
    id: assignRequestId(request),
    method: request.method,
    path: path.slice(0, 200),
    peer: request.socket?.remoteAddress,
  };
}

function describeResponse(response: ServerResponse): object {
  return { status: response.statusCode };
}

/** Type, message, code, stack and causes of an error, and nothing else: errors of clients carry commands and addresses with passwords in them. */
export function describeError(error: unknown, depth = 0): object {
  if (typeof error !== 'object' || error === null)
    return { message: String(error).slice(0, maxTextCharacters) };
  const { name, message, code, stack, cause } = error as Partial<Error> & { code?: unknown; cause?: unknown };
  // drizzle writes the values of a statement into its message: digests of keys, whole records.
  const shown = error instanceof DrizzleQueryError ? `Failed query: ${error.query}` : message;
  return {
    type: name,
    message: withoutPasswords(shown),
    ...(typeof code === 'string' && { code }),
    stack: withoutPasswords(stack?.replace(message ?? '', () => shown ?? '')),
    ...(cause !== undefined && depth < maxCauses && { cause: describeError(cause, depth + 1) }),
  };
}

/** `scheme://user:password@host` without the password. */
function withoutPasswords(text: string | undefined): string | undefined {
  return text?.slice(0, maxTextCharacters).replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@]*@/gi, '$1…@');
}
