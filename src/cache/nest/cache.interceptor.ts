import {
  GatewayTimeoutException,
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
import { CacheTagError, joinTags, TieredCache, type CacheAnswer, type LoadControl } from '../core';
import {
  bypassStatus,
  cacheControl,
  cacheStatus,
  credentialsOf,
  EncodedBodies,
  type Payload,
  hasClientCertificate,
  keyedHeaderValue,
  noStore,
  principalParts,
  privateNoStore,
  representationFor,
  requestEligibility,
  requestKey,
  revalidatedStatus,
  StoredResponse,
  varyNames,
  watchInputs,
  type BypassReason,
  type JsonSettings,
  type PrincipalParts,
  type ReadOnlyReason,
  type RouteBypass,
} from '../http';
import { CachedRoutes, type CachedRoute } from './cached-routes';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
  type PrincipalResolver,
} from './cache.module-definition';
import { clientCachingOf } from './client-caching';
import { FastPathService } from './fast-path.service';
import { produce, writeStored, type Produced } from './http-exchange';
import { InternalRequests } from './internal-requests';
import { ReadEvidence } from './read-evidence';
import { repeatable } from './repeatable-route';
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
  readonly #principals: PrincipalResolver | undefined;
  readonly #detects: boolean;
  #json: JsonSettings | undefined;

  constructor(
    private readonly cache: TieredCache,
    private readonly routes: CachedRoutes,
    private readonly requests: InternalRequests,
    private readonly sent: SentResponses,
    private readonly bodies: EncodedBodies,
    private readonly fast: FastPathService,
    private readonly evidence: ReadEvidence,
    private readonly host: HttpAdapterHost,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#maxBodyBytes = options.maxResponseBytes ?? cacheModuleDefaults.maxResponseBytes;
    this.#principals = options.principal;
    this.#detects = options.detectUnkeyedInputs ?? process.env['NODE_ENV'] !== 'production';
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
    // The handler sees what the key holds: of the languages, say, the one that was chosen. Past the cache as well.
    for (const header of route.rules.headers)
      if (header.oneOf) request.headers[header.name] = keyedHeaderValue(header, request.headers[header.name]);
    // Express parses the query anew at each look.
    const { method, headers, params, query } = request;
    const head = { method, headers, hasClientCertificate: hasClientCertificate(request) };
    const verdict = requestEligibility({ ...head, params, query }, route);
    if (verdict.use === 'bypass') return this.pass(exchange, verdict.reason);
    const principal = principalParts(
      route.principal,
      route.principal === 'none' ? undefined : this.#principals?.principalOf(request),
      credentialsOf(head) !== undefined,
    );
    if (!principal) return this.pass(exchange, 'principal');
    let tags: readonly string[] | undefined;
    try {
      tags = tagsOf(route, principal, params as Record<string, string>, query);
      if (tags) joinTags(route.policy.tags, tags);
    } catch (error) {
      // Tags are made of what a request says, and that need not be fit for one: no reason to fail, nor to fill the log.
      if (!(error instanceof CacheTagError))
        this.#logger.error(`${route.where} is answered uncached: its tags function threw`, error);
      return this.pass(exchange, 'tags');
    }
    const routed = {
      params,
      query,
      template: route.keyedByTemplate ? (request.route as { path: string }).path : undefined,
      hosts: route.keyedByHost ? (request as { hosts?: Record<string, unknown> }).hosts : undefined,
      principalPart: principal.keyPart,
    };
    const key = requestKey(route.rules, { ...routed, headers });
    const refresh = this.requests.refreshOf(key);
    if (refresh) return this.answerRefresh(exchange, refresh);
    const readOnly = verdict.use === 'read' ? verdict.reason : undefined;
    // In L1 and fresh: answered in this turn, without a promise for each layer in between.
    const near = this.cache.peekFresh<StoredResponse | Unshared>(key, route.policy);
    if (near) this.cache.countPeeked(key, route.policy, near);
    const answer = near ?? (await this.lookup(exchange, key, tags, readOnly));
    if (verdict.use === 'store') {
      if (answer.source !== 'load' && answer.outcome !== 'stale_hit')
        this.fast.learn(route, request, exchange.response, key, routed);
      if (route.isRepeatable && this.cache.purpose === 'request' && this.evidence.due())
        this.evidence.tell(route.policy.name, repeatable(route, routed, headers));
    }
    return this.answer(exchange, key, answer, readOnly);
  }

  private async lookup(
    exchange: Exchange,
    key: string,
    tags: readonly string[] | undefined,
    readOnly: ReadOnlyReason | undefined,
  ): Promise<CacheAnswer<StoredResponse | Unshared>> {
    const options = { policy: exchange.route.policy, ...(tags && { tags }) };
    if (readOnly === 'only-if-cached') {
      // RFC 9111 §5.2.1.7.
      const look = (): Promise<unknown> => this.cache.get(key, options);
      const stored = await this.cache.runAs('admin', look);
      if (stored === undefined)
        throw new GatewayTimeoutException('There is no stored answer to this request.');
    }
    return this.cache.lookup(key, load => this.load(exchange, load, readOnly), options);
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
            innerHeaders(route, request),
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
  private async run({ route, request, response, next }: Exchange): Promise<Produced> {
    const varyBefore = varyNames(response.getHeader('vary'));
    const handle = (): Promise<unknown> => lastValueFrom(next.handle(), { defaultValue: undefined });
    const result = await (this.#detects ? watchInputs(request, route.covered).run(handle) : handle());
    return produce(route, response, result, varyBefore, this.#maxBodyBytes, this.jsonSettings());
  }

  private answer(
    exchange: Exchange,
    key: string,
    answer: CacheAnswer<StoredResponse | Unshared>,
    readOnly: ReadOnlyReason | undefined,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const { route, response, next } = exchange;
    const { value } = answer;
    if (value instanceof Unshared)
      return this.answerUnshared(exchange, value, cacheStatus(answer, value.produced.refusal));
    if (!(value instanceof StoredResponse)) {
      this.#logger.error(`${route.where} is answered uncached: something else is stored under its key`, {
        key,
      });
      this.forbidStoring(response, 'foreign-entry', noStore);
      return next.handle();
    }
    if (answer.outcome === 'stale_hit' && value.staleMs !== undefined && -answer.freshMs >= value.staleMs)
      return this.answerAnew(exchange);
    const age = answer.source === 'load' ? undefined : Math.floor(answer.ageMs / 1_000);
    return this.send(exchange, value, cacheStatus(answer, readOnly), age);
  }

  /** Past what the response allows of itself (RFC 9111 §4.2.4); the refresh that the lookup has started stores what comes next. */
  private async answerAnew(exchange: Exchange): Promise<Observable<unknown>> {
    const produced = await this.run(exchange);
    if (produced.refusal !== undefined)
      return this.answerUnshared(exchange, new Unshared(produced), revalidatedStatus);
    return this.send(exchange, produced.response, revalidatedStatus, undefined);
  }

  private send(
    { route, request, response }: Exchange,
    stored: StoredResponse,
    status: string,
    age: number | undefined,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    const representation = representationFor(request, stored);
    const { coding, isNotModified } = representation;
    const answer = {
      cacheStatus: status,
      cacheControl: cacheControl(
        clientCachingOf(this.cache.policyInForce(route.policy), route.principal, stored),
      ),
      age,
      vary: route.vary,
    };
    const write = (body: Payload): Observable<unknown> => {
      writeStored(request.method, response, stored, representation, answer, body);
      this.sent.mark(response);
      return nothingMore;
    };
    if (isNotModified) return write(stored.body);
    if (coding === undefined) return write(this.bodies.identity(stored));
    const ready = this.bodies.ready(stored, coding);
    return ready !== undefined ? write(ready) : this.bodies.encode(stored, coding).then(write);
  }

  /** Nest sends the result; it is for this request alone. */
  private answerUnshared(
    { route, response }: Exchange,
    { produced }: Unshared,
    status: string,
  ): Observable<unknown> {
    if (!response.headersSent) {
      if (!response.hasHeader('cache-control'))
        response.setHeader('Cache-Control', route.principal === 'none' ? noStore : privateNoStore);
      response.setHeader('Cache-Status', status);
    }
    return of('result' in produced ? produced.result : undefined);
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
    return nothingMore;
  }

  private pass({ route, response, next }: Exchange, reason: BypassReason | RouteBypass): Observable<unknown> {
    this.cache.countBypass(route.policy.name);
    if (reason === 'route') response.setHeader('Cache-Status', bypassStatus(reason));
    else
      this.forbidStoring(
        response,
        reason,
        personalReasons.has(reason) || route.principal !== 'none' ? privateNoStore : noStore,
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

/** For Nest, which replies with a result: the response has been written. */
const nothingMore = of(undefined);

const personalReasons: ReadonlySet<string> = new Set(['authorization', 'certificate', 'cookie', 'principal']);

/** Credentials that a guard may want to see again. */
const credentialHeaders = ['authorization', 'cookie', 'x-api-key'];

/**
 * Headers for the inner request of a refresh: the host, what is in the key, and where the answer is for one principal what
 * it has shown, so that the guards let the inner request pass as long as they would let the outer one.
 */
function innerHeaders(route: CachedRoute, request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  const credentials = route.principal === 'none' ? [] : credentialHeaders;
  for (const name of ['host', ...route.vary, ...credentials]) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** The tags of an entry besides its policy's: of the route's function, and of its principal. */
function tagsOf(
  route: CachedRoute,
  principal: PrincipalParts,
  params: Record<string, string>,
  query: Record<string, unknown>,
): readonly string[] | undefined {
  const own = route.tags?.(Object.assign([] as unknown[], { params, query }));
  return principal.tags.length === 0 ? own : [...(own ?? []), ...principal.tags];
}
