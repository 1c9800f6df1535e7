import {
  Inject,
  Injectable,
  Logger,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request, Response } from 'express';
import { lastValueFrom, of, type Observable } from 'rxjs';
import {
  CacheTagError,
  joinTags,
  TieredCache,
  type CacheAnswer,
  type CachePolicy,
  type LoadControl,
} from '../core';
import {
  bypassStatus,
  cacheControl,
  cacheStatus,
  noStore,
  privateNoStore,
  requestEligibility,
  requestKey,
  StoredResponse,
  type BypassReason,
  type JsonSettings,
  type Lifetimes,
  type ReadOnlyReason,
  type RouteBypass,
} from '../http';
import { CachedRoutes, type CachedRoute } from './cached-routes';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
} from './cache.module-definition';
import { produce, varyOf, writeStored, type Produced } from './http-exchange';
import { InternalRequests } from './internal-requests';
import { SentResponses } from './sent-responses';

/** One request on its way through the cache. */
interface Exchange {
  readonly route: CachedRoute;
  readonly request: Request;
  readonly response: Response;
  readonly next: CallHandler;
}

/** A result that is for the request alone whose handler brought it. Never stored, never handed to others. */
class Unshared {
  constructor(readonly produced: Produced & { refusal: string }) {}
}

/**
 * Answers cached routes. It stands first in the list of interceptors, so that what it stores is what all others have made
 * of the controller's answer (`@Exclude`d fields are gone); guards have run before it, on hits too.
 *
 * A hit writes the stored bytes: no controller, no serialisation, no hash. A miss runs the rest of the chain inside the
 * cache's loader: concurrent requests of one key wait for one handler, unless its answer turns out to be for one request
 * alone, and then each runs its own. Errors go to the exception filter of everybody who waits, and are not stored.
 */
@Injectable()
export class CacheInterceptor implements NestInterceptor, OnModuleInit {
  readonly #logger = new Logger('Cache');
  readonly #maxBodyBytes: number;
  #json: JsonSettings | undefined;

  constructor(
    private readonly cache: TieredCache,
    private readonly routes: CachedRoutes,
    private readonly requests: InternalRequests,
    private readonly sent: SentResponses,
    private readonly host: HttpAdapterHost,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#maxBodyBytes = options.maxResponseBytes ?? cacheModuleDefaults.maxResponseBytes;
  }

  onModuleInit(): void {
    if (this.host.httpAdapter) this.sent.guard(this.host.httpAdapter);
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const route = this.routes.of(context.getClass(), context.getHandler());
    if (!route) return next.handle();
    const http = context.switchToHttp();
    const exchange: Exchange = {
      route,
      request: http.getRequest<Request>(),
      response: http.getResponse<Response>(),
      next,
    };
    if (route.passesThrough) return this.pass(exchange, 'route');
    const { request } = exchange;
    // Express parses the query anew at each look.
    const { method, headers, params, query } = request;
    const verdict = requestEligibility({ method, headers, params, query }, route.declaredQuery);
    if (verdict.use === 'bypass') return this.pass(exchange, verdict.reason);
    let tags: readonly string[] | undefined;
    try {
      tags = route.tags?.(
        Object.assign([] as unknown[], { params: params as Record<string, string>, query }),
      );
      if (tags) joinTags(route.policy.tags, tags);
    } catch (error) {
      // Tags are made of what a request says, and that need not be fit for one: no reason to fail, nor to fill the log.
      if (!(error instanceof CacheTagError))
        this.#logger.error(`${route.where} is answered uncached: its tags function threw`, error);
      return this.pass(exchange, 'tags');
    }
    const key = requestKey(route.rules, {
      params,
      query,
      headers,
      template: route.keyedByTemplate ? (request.route as { path: string }).path : undefined,
      hosts: route.keyedByHost ? (request as { hosts?: Record<string, unknown> }).hosts : undefined,
    });
    const refresh = this.requests.refreshOf(key);
    if (refresh) return this.answerRefresh(exchange, refresh);
    const answer = await this.cache.lookup<StoredResponse | Unshared>(
      key,
      load => this.load(exchange, load, verdict.use === 'read' ? verdict.reason : undefined),
      { policy: route.policy, ...(tags && { tags }) },
    );
    return this.answer(exchange, key, answer, verdict.use === 'read' ? verdict.reason : undefined);
  }

  private async load(
    exchange: Exchange,
    load: LoadControl,
    readOnly: ReadOnlyReason | undefined,
  ): Promise<StoredResponse | Unshared> {
    const { request, route } = exchange;
    const produced =
      this.cache.purpose === 'refresh'
        ? await this.requests.refresh<Produced>(
            load.key,
            request.originalUrl,
            keyedHeaders(route, request),
            load.signal,
          )
        : await this.run(exchange);
    if (produced.refusal !== undefined) {
      load.doNotStore();
      return new Unshared(produced);
    }
    if (readOnly) load.doNotStore();
    if (produced.response.freshMs !== undefined) load.setTtlMs(produced.response.freshMs);
    return produced.response;
  }

  /** Runs the rest of the chain: other interceptors, pipes, controller. */
  private async run({ route, response, next }: Exchange): Promise<Produced> {
    const varyBefore = varyOf(response);
    const result: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
    return produce(route, response, result, varyBefore, this.#maxBodyBytes, this.jsonSettings());
  }

  private answer(
    exchange: Exchange,
    key: string,
    answer: CacheAnswer<StoredResponse | Unshared>,
    readOnly: ReadOnlyReason | undefined,
  ): Observable<unknown> {
    const { route, request, response, next } = exchange;
    const { value } = answer;
    if (value instanceof Unshared) {
      if (!response.headersSent) {
        if (!response.hasHeader('cache-control')) response.setHeader('Cache-Control', noStore);
        response.setHeader('Cache-Status', cacheStatus(answer, value.produced.refusal));
      }
      return of('result' in value.produced ? value.produced.result : undefined);
    }
    if (!(value instanceof StoredResponse)) {
      this.#logger.error(`${route.where} is answered uncached: something else is stored under its key`, {
        key,
      });
      this.forbidStoring(response, 'foreign-entry', noStore);
      return next.handle();
    }
    const hit = answer.source !== 'load';
    writeStored(request, response, value, {
      cacheStatus: cacheStatus(answer, readOnly),
      cacheControl: cacheControl(lifetimesOf(route.policy, value.freshMs)),
      age: hit ? Math.floor(answer.ageMs / 1_000) : undefined,
      vary: route.rules.headers,
    });
    this.sent.mark(response);
    return of(undefined);
  }

  /** The inner request of a refresh: its answer is what the handler brought, handed over in the process. */
  private async answerRefresh(
    exchange: Exchange,
    capture: { outcome: unknown },
  ): Promise<Observable<unknown>> {
    try {
      capture.outcome = { result: await this.run(exchange) };
    } catch (error) {
      capture.outcome = { error };
      throw error;
    }
    exchange.response.end();
    this.sent.mark(exchange.response);
    return of(undefined);
  }

  private pass({ route, response, next }: Exchange, reason: BypassReason | RouteBypass): Observable<unknown> {
    this.cache.countBypass(route.policy.name);
    if (reason === 'route') response.setHeader('Cache-Status', bypassStatus(reason));
    else
      this.forbidStoring(
        response,
        reason,
        reason === 'authorization' || reason === 'cookie' ? privateNoStore : noStore,
      );
    return next.handle();
  }

  private forbidStoring(response: Response, reason: BypassReason | RouteBypass, header: string): void {
    response.setHeader('Cache-Status', bypassStatus(reason));
    if (!response.hasHeader('cache-control')) response.setHeader('Cache-Control', header);
  }

  private jsonSettings(): JsonSettings {
    if (!this.#json) {
      const app = this.host.httpAdapter.getInstance<{ get(name: string): unknown }>();
      this.#json = {
        replacer: app.get('json replacer') as JsonSettings['replacer'],
        spaces: app.get('json spaces') as JsonSettings['spaces'],
        escape: app.get('json escape') as JsonSettings['escape'],
      };
    }
    return this.#json;
  }
}

/** What of the headers is in the key, and the host, for the inner request of a refresh. */
function keyedHeaders(route: CachedRoute, request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ['host', ...route.rules.headers]) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** What the entry really lives: a handler may shorten the fresh life, and the stale window is then no longer than that. */
function lifetimesOf({ ttlMs, staleMs }: CachePolicy, freshMs: number | undefined): Lifetimes {
  if (freshMs === undefined || freshMs >= ttlMs) return { ttlMs, staleMs };
  return { ttlMs: freshMs, staleMs: Math.min(staleMs, freshMs) };
}
