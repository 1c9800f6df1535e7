import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import {
  Inject,
  Injectable,
  Logger,
  VersioningType,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { TieredCache } from '../core';
import {
  cacheControl,
  EncodedBodies,
  FastPath,
  requestKey,
  type FastEdge,
  type FastTarget,
  type RoutedRequest,
} from '../http';
import { clientCachingOf } from './client-caching';
import type { CachedRoute } from './cached-routes';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
} from './cache.module-definition';
import { CACHED_METADATA } from './decorators/cached.decorator';
import {
  edgeOf,
  standsAs,
  type MiddlewareFunction,
  type MiddlewareLayer,
  type MiddlewareTreatment,
} from './fast-edge';
import { isRoute } from './nest-metadata';
import { memberOf, ReadEvidence } from './read-evidence';
import { repeatable } from './repeatable-route';

interface Layer {
  readonly name: string;
  readonly handle: MiddlewareFunction;
  readonly route?: {
    readonly path: string;
    readonly methods: Readonly<Record<string, boolean>>;
    readonly stack: readonly { readonly handle: object }[];
  };
  match(path: string): unknown;
}

interface ExpressApplication extends RequestListener {
  enabled(setting: string): boolean;
  readonly router?: { readonly stack?: readonly Layer[] };
}

/** The framework's readers of bodies: a request with a body never comes here. */
const bodyReaders = new Set(['jsonParser', 'urlencodedParser', 'rawParser', 'textParser']);

/**
 * Puts the fast way out in front of Express, and tells it of a request target whenever the normal way has answered it from
 * the store and nothing but what the fast way knows stands there: no guard (but those of the application that are listed),
 * no principal, no middleware that is not accounted for. In doubt a target is not learned.
 */
@Injectable()
export class FastPathService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Cache');
  readonly #path: FastPath | undefined;
  readonly #told = new Set<string>();
  /** Routes that were found to be unfit: no use in looking again at each hit. */
  readonly #unfit = new WeakSet<CachedRoute>();
  readonly #edges = new Map<string, FastEdge>();
  #attached: { server: Server; express: ExpressApplication; front: RequestListener } | undefined;

  constructor(
    private readonly cache: TieredCache,
    bodies: EncodedBodies,
    private readonly host: HttpAdapterHost,
    private readonly application: ApplicationConfig,
    private readonly evidence: ReadEvidence,
    @Inject(CACHE_MODULE_OPTIONS) private readonly options: CacheModuleOptions,
  ) {
    const { enabled = true, maxUrls = cacheModuleDefaults.maxFastUrls } = options.fastPath ?? {};
    if (enabled) this.#path = new FastPath(cache, bodies, maxUrls);
  }

  /** Whether hits can go out in front of the router. */
  get isOn(): boolean {
    return this.#attached !== undefined;
  }

  onApplicationBootstrap(): void {
    const adapter = this.host.httpAdapter as typeof this.host.httpAdapter | undefined;
    if (!this.#path || adapter?.getType() !== 'express') return;
    const obstacle = this.obstacle();
    if (obstacle !== undefined) {
      this.#logger.warn(`the fast way out is off: ${obstacle}`);
      return;
    }
    const server = adapter.getHttpServer() as Server;
    const express = adapter.getInstance<ExpressApplication>();
    if (!server.listeners('request').includes(express)) return;
    const front: RequestListener = (request, response) => {
      if (!this.answers(request, response)) express(request, response);
    };
    server.off('request', express);
    server.on('request', front);
    this.#attached = { server, express, front };
  }

  onApplicationShutdown(): void {
    if (!this.#attached) return;
    const { server, express, front } = this.#attached;
    server.off('request', front);
    server.on('request', express);
    this.#attached = undefined;
  }

  /** Takes note of a target that the normal way has just answered with a fresh hit; the stored fields are not yet written. */
  learn(
    route: CachedRoute,
    request: IncomingMessage & { readonly originalUrl: string; readonly route?: unknown },
    response: ServerResponse,
    key: string,
    routed: Omit<RoutedRequest, 'headers'>,
  ): void {
    const path = this.#path;
    const url = request.originalUrl;
    if (!path || !this.#attached || request.method !== 'GET' || path.knows(url)) return;
    if (route.isGuarded || route.principal !== 'none' || route.keyedByHost || route.policy.tier === 'redis')
      return;
    if (!url.startsWith('/') || url.includes('#') || this.#unfit.has(route)) return;
    const edge = this.edgeFor(route, url);
    if (!edge) {
      this.#unfit.add(route);
      return;
    }
    if (!standsAs(edge, request, response)) return;
    path.learn(url, this.targetOf(route, key, routed, request.route as object | undefined, edge));
  }

  private answers(request: IncomingMessage, response: ServerResponse): boolean {
    try {
      return this.#path!.answer(request, response);
    } catch (error) {
      this.#logger.error('the fast way out has failed', error);
      if (!response.headersSent) return false;
      response.destroy();
      return true;
    }
  }

  /** What of the whole application forbids it; undefined when nothing does. */
  private obstacle(): string | undefined {
    const versioning = this.application.getVersioning();
    if (versioning && versioning.type !== VersioningType.URI) return 'versions are not told by the path';
    const listed = new Set<unknown>(this.options.fastPath?.guards ?? []);
    const guards = [
      ...this.application.getGlobalGuards().map(guard => guard.constructor),
      ...this.application.getGlobalRequestGuards().map(({ metatype }) => metatype),
    ];
    const unlisted = guards.find(guard => !listed.has(guard)) as { name?: string } | undefined;
    return unlisted && `the global guard ${unlisted.name} stands in front of all routes`;
  }

  /** What stands in front of a route at a target; undefined when something does that is not accounted for. */
  private edgeFor(route: CachedRoute, url: string): FastEdge | undefined {
    const { express } = this.#attached!;
    const treated: (readonly [MiddlewareLayer, MiddlewareTreatment])[] = [];
    let signature = route.where;
    for (const [at, layer] of (express.router?.stack ?? []).entries()) {
      if (!layer.match(url.split('?', 1)[0]!)) continue;
      if (layer.route?.stack.some(({ handle }) => isRoute(handle))) {
        // A HEAD of its own would be another answer than the GET without its content.
        if (layer.route.methods['head']) return undefined;
        if (!layer.route.methods['get'] && !layer.route.methods['_all']) continue;
        const isOurs = layer.route.stack.some(
          ({ handle }) => Reflect.getMetadata(CACHED_METADATA, handle) === route.metadata,
        );
        return isOurs ? this.edge(signature, route, treated) : undefined;
      }
      if (layer.handle.length === 4) continue; // for errors alone
      const described = {
        name: layer.route ? '' : layer.name,
        path: layer.route?.path,
        handle: layer.handle,
      };
      const treatment = this.options.fastPath?.middleware?.(described) ?? this.known(described, at);
      if (treatment === undefined) {
        this.tell(
          `${route.where} stays on the normal way: nothing is said of the middleware ${nameOf(described)}`,
        );
        return undefined;
      }
      signature += ` ${at}`;
      treated.push([described, treatment]);
    }
    return undefined;
  }

  private edge(
    signature: string,
    { headers, where }: CachedRoute,
    treated: readonly (readonly [MiddlewareLayer, MiddlewareTreatment])[],
  ): FastEdge | undefined {
    let edge = this.#edges.get(signature);
    if (edge) return edge;
    const always = this.#attached!.express.enabled('x-powered-by') ? ['X-Powered-By', 'Express'] : [];
    for (const { name, value } of headers) {
      if (typeof value === 'function') {
        this.tell(`${where} stays on the normal way: its header ${name} is made anew for each answer`);
        return undefined;
      }
      always.push(name, value);
    }
    edge = edgeOf(treated, always);
    this.#edges.set(signature, edge);
    return edge;
  }

  private known({ name, path }: MiddlewareLayer, at: number): MiddlewareTreatment | undefined {
    if (path === undefined && bodyReaders.has(name)) return 'skip';
    if (path === undefined && name === 'corsMiddleware') return 'run';
    // The adapter's own first one, for hooks that somebody may have set.
    const { onRequestHook, onResponseHook } = this.host.httpAdapter as {
      onRequestHook?: unknown;
      onResponseHook?: unknown;
    };
    if (at === 0 && onRequestHook === undefined && onResponseHook === undefined) return 'skip';
    return undefined;
  }

  private targetOf(
    route: CachedRoute,
    key: string,
    routed: Omit<RoutedRequest, 'headers'>,
    template: object | undefined,
    edge: FastEdge,
  ): FastTarget {
    // The same for every request where nothing of the headers is in the key.
    const member =
      route.isRepeatable && route.vary.length === 0 ? memberOf(repeatable(route, routed, {})) : undefined;
    return {
      policy: route.policy,
      key: route.vary.length === 0 ? key : undefined,
      keyFor: headers => requestKey(route.rules, { ...routed, headers }),
      vary: route.vary,
      cacheControl: stored =>
        cacheControl(clientCachingOf(this.cache.policyInForce(route.policy), route.principal, stored)),
      seen: headers => {
        if (!route.isRepeatable || !this.evidence.due()) return;
        if (member !== undefined) this.evidence.tellMember(route.policy.name, member);
        else this.evidence.tell(route.policy.name, repeatable(route, routed, headers));
      },
      route: template,
      edge,
    };
  }

  private tell(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#logger.log(message);
  }
}

function nameOf({ name, path }: MiddlewareLayer): string {
  if (path !== undefined) return `at ${path}`;
  return name === '' || name === '<anonymous>' ? 'without a name' : name;
}
