import { Inject, Injectable, Logger, RequestMethod, VersioningType, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { CacheOptionsError, type CachePolicy } from '../core';
import {
  hasNonce,
  storedResponseSerializer,
  type CoveredInputs,
  type PrincipalScope,
  type RequestKeyRules,
} from '../http';
import {
  CACHE_MODULE_OPTIONS,
  cacheModuleDefaults,
  type CacheModuleOptions,
} from './cache.module-definition';
import { CACHED_METADATA, type CachedMetadata } from './decorators/cached.decorator';
import type { TagsFunction } from './decorators/decorator-options';
import { NEVER_CACHED_METADATA } from './decorators/never-cached.decorator';
import { KeyHeads } from './key-heads';
import {
  hasGuards,
  headersOf,
  isBoundToHost,
  isRoute,
  isVersioned,
  ownWayOfAnswering,
  requestMethodOf,
  servesSeveralTemplates,
} from './nest-metadata';
import { PolicyTable } from './policy-table';

/** Everything about a cached route that does not change from request to request; worked out once. */
export interface CachedRoute {
  /** `AgentsController.list`, for logs and errors. */
  readonly where: string;
  /** What the decorator has left behind; the router's copy of the handler carries it as well. */
  readonly metadata: CachedMetadata;
  readonly policy: CachePolicy;
  readonly rules: RequestKeyRules;
  readonly declaredQuery: ReadonlySet<string>;
  /** Names of the headers in the key. */
  readonly vary: readonly string[];
  readonly principal: PrincipalScope;
  /** What its handler may read. */
  readonly covered: CoveredInputs;
  readonly statuses: ReadonlySet<number>;
  readonly tags: TagsFunction | undefined;
  /** Its template is part of the key. */
  readonly keyedByTemplate: boolean;
  readonly keyedByHost: boolean;
  /** It answers in a way that cannot be stored: its requests go past the cache. */
  readonly passesThrough: boolean;
  /** Guards stand at it or at its controller. */
  readonly isGuarded: boolean;
  /** Its answers are for everybody and depend on nothing but what is in the key, so that the application can ask it by itself. */
  readonly isRepeatable: boolean;
  /** What `@Header()` puts on every answer. */
  readonly headers: ReturnType<typeof headersOf>;
}

type Class = abstract new (...args: never[]) => unknown;

/** Finds the cached routes at the start, checks them, and knows them by controller and handler. */
@Injectable()
export class CachedRoutes implements OnModuleInit {
  readonly #routes = new WeakMap<object, Map<object, CachedRoute | undefined>>();
  readonly #found: CachedRoute[] = [];
  readonly #logger = new Logger(CachedRoutes.name);

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly policies: PolicyTable,
    private readonly heads: KeyHeads,
    private readonly application: ApplicationConfig,
    @Inject(CACHE_MODULE_OPTIONS) private readonly options: CacheModuleOptions,
  ) {}

  /** @throws CacheOptionsError naming the route, for one that cannot or must not be cached as it is declared */
  onModuleInit(): void {
    for (const { metatype } of this.discovery.getControllers()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        const route = typeof handler === 'function' ? this.of(metatype as Class, handler) : undefined;
        if (route) this.#found.push(route);
      }
    }
  }

  /** The cached route behind a handler; undefined when it is not one. */
  of(controller: Class, handler: object): CachedRoute | undefined {
    let routes = this.#routes.get(controller);
    if (!routes) this.#routes.set(controller, (routes = new Map<object, CachedRoute | undefined>()));
    if (!routes.has(handler)) routes.set(handler, this.describe(controller, handler));
    return routes.get(handler);
  }

  /** The cached routes of the application, in the order in which they were found. */
  list(): readonly CachedRoute[] {
    return this.#found;
  }

  private describe(controller: Class, handler: object): CachedRoute | undefined {
    const metadata = Reflect.getMetadata(CACHED_METADATA, handler) as CachedMetadata | undefined;
    if (!metadata || !isRoute(handler)) return undefined;
    const methodName = (handler as { name: string }).name;
    const where = `${controller.name}.${methodName}`;
    const method = requestMethodOf(handler);
    if (method !== RequestMethod.GET && method !== RequestMethod.HEAD) {
      throw new CacheOptionsError(`${where}: only GET routes can be cached, not ${RequestMethod[method]}`);
    }
    const never = (Reflect.getMetadata(NEVER_CACHED_METADATA, handler) ??
      Reflect.getMetadata(NEVER_CACHED_METADATA, controller)) as string | undefined;
    if (never !== undefined) throw new CacheOptionsError(`${where}: must not be cached: ${never}`);
    const { options } = metadata;
    if (options.args)
      throw new CacheOptionsError(
        `${where}: args is for methods; the key of a route is made of query and headers`,
      );
    const head = options.key ?? where;
    this.heads.take(head, where, controller, handler);
    const obstacle = ownWayOfAnswering(controller, methodName, handler);
    if (obstacle !== undefined) this.#logger.warn(`${where} is not cached: it answers with ${obstacle}`);
    const principal = options.principal ?? 'none';
    const resolver = this.options.principal;
    if (principal !== 'none' && !resolver) {
      throw new CacheOptionsError(
        `${where}: answers for each ${principal} need the option principal of CacheModule, which says who asks`,
      );
    }
    const host = options.perHost ? this.options.host : undefined;
    if (options.perHost && !host) {
      throw new CacheOptionsError(
        `${where}: answers for each host need the option host of CacheModule, which names this one`,
      );
    }
    const headers = headersOf(handler);
    if (headers.some(({ name, value }) => /^content-security-policy/i.test(name) && hasNonce(String(value))))
      throw new CacheOptionsError(`${where}: must not be cached: its content security policy has a nonce`);
    const keyed = (options.headers ?? []).map(header =>
      typeof header === 'string'
        ? { name: header.toLowerCase(), oneOf: undefined }
        : { name: header.name.toLowerCase(), oneOf: Object.freeze([...header.oneOf]) },
    );
    const vary = Object.freeze(keyed.map(({ name }) => name));
    this.checkVersion(where, controller, handler, vary);
    const declaredQuery = new Set(options.query ?? []);
    return Object.freeze({
      where,
      metadata,
      policy: this.policies.resolve(where, metadata, storedResponseSerializer),
      rules: Object.freeze({
        head,
        query: Object.freeze([...declaredQuery]),
        headers: Object.freeze(keyed),
        host,
      }),
      declaredQuery,
      vary,
      principal,
      covered: Object.freeze({
        where,
        query: declaredQuery,
        headers: new Set(vary),
        principal,
        tenantProperties: new Set(resolver?.tenantProperties ?? cacheModuleDefaults.tenantProperties),
      }),
      statuses: new Set([200, ...(options.statuses ?? [])]),
      tags: typeof options.tags === 'function' ? options.tags : undefined,
      keyedByTemplate: servesSeveralTemplates(controller, handler),
      keyedByHost: isBoundToHost(controller),
      passesThrough: obstacle !== undefined,
      isGuarded: hasGuards(controller, handler),
      isRepeatable: principal === 'none' && obstacle === undefined && !isBoundToHost(controller),
      headers,
    });
  }

  /**
   * Where a header chooses the version, one URL leads to several handlers. The header has to be in the key: clients and
   * other caches must hear of it (`Vary`), and a refresh must send it to come to the same handler.
   */
  private checkVersion(where: string, controller: Class, handler: object, vary: readonly string[]): void {
    const versioning = this.application.getVersioning();
    if (!versioning || versioning.type === VersioningType.URI) return;
    if (!isVersioned(controller, handler, versioning.defaultVersion)) return;
    const header =
      versioning.type === VersioningType.HEADER
        ? versioning.header.toLowerCase()
        : versioning.type === VersioningType.MEDIA_TYPE
          ? 'accept'
          : undefined;
    if (header === undefined ? vary.length > 0 : vary.includes(header)) return;
    throw new CacheOptionsError(
      `${where}: a header tells its version, so that header has to be in the key: headers: ['${header ?? '…'}']`,
    );
  }
}
