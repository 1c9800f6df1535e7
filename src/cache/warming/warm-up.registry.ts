import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { CacheOptionsError, messageOf, TieredCache } from '../core';
import { CachedPaths } from '../nest/cached-paths';
import { CachedRoutes } from '../nest/cached-routes';
import { CACHED_METADATA, type CachedMetadata } from '../nest/decorators/cached.decorator';
import { InternalRequests } from '../nest/internal-requests';
import { isRoute } from '../nest/nest-metadata';
import { PolicyTable } from '../nest/policy-table';
import { memberOf, repeatableOf, type Repeatable, type RequestParts } from '../nest/read-evidence';
import { HotKeys } from './hot-keys';
import { ReadObserver, type ObservedRead } from './read-observer';
import { failureOf, warmOutcome, type WarmOutcome } from './warm-outcome';
import { WARM_UP_METADATA, type WarmRequest, type WarmUpMetadata } from './warm-up.decorator';
import { routeUrl } from './route-url';

/** One load of a job: a request, or a call. */
export interface WarmUnit {
  /** For reports: `agents:list`, or `/api/v1/agents?limit=20`. */
  readonly name: string;
  /** The read that it makes, as `ReadEvidence` tells it; undefined where that cannot be told. */
  readonly member: string | undefined;
  /** @param refreshWithinMs an entry that would expire within so long is loaded anew; undefined: an entry that is fresh stays */
  run(signal: AbortSignal, refreshWithinMs: number | undefined): Promise<WarmOutcome>;
}

export interface WarmJob {
  readonly name: string;
  readonly categories: readonly string[];
  readonly cron: string | undefined;
  readonly critical: boolean;
  readonly priority: number;
  /** Policies of what it loads; none where that cannot be told. */
  readonly policies: readonly string[];
  /** What there is to load now; the arguments of methods may be worked out anew each time. */
  units(): Promise<readonly WarmUnit[]>;
}

type Class = abstract new (...args: never[]) => unknown;
type Method = (this: unknown, ...args: unknown[]) => unknown;

/** The category and job of what users read most. */
export const hotJobName = 'hot';
const hotPriority = 100;

/** How the reads of one head are made again. */
interface Target {
  readonly policy: string;
  unitOf(read: Repeatable): WarmUnit | undefined;
}

/** Finds what `@WarmUp` declares, on routes and on methods of providers, and what else is cached and can be read again. */
@Injectable()
export class WarmUpRegistry {
  readonly #targets = new Map<string, Target>();

  constructor(
    private readonly cache: TieredCache,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly routes: CachedRoutes,
    private readonly policies: PolicyTable,
    private readonly paths: CachedPaths,
    private readonly requests: InternalRequests,
    private readonly observer: ReadObserver,
    private readonly hot: HotKeys,
  ) {}

  /**
   * The jobs of the application. Routes have to be registered.
   * @throws CacheOptionsError naming class and method, for a job that could never run
   */
  find(): WarmJob[] {
    const jobs: WarmJob[] = [];
    const seen = new Set<object>();
    for (const wrapper of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const method = prototype![name] as object;
        const metadata = Reflect.getMetadata(WARM_UP_METADATA, method) as WarmUpMetadata | undefined;
        const cached = Reflect.getMetadata(CACHED_METADATA, method) as CachedMetadata | undefined;
        const where = `${instance.constructor.name}.${name}`;
        const isStatic = wrapper.isDependencyTreeStatic();
        if (cached && isRoute(method)) this.addRoute(instance.constructor as Class, method, cached);
        else if (cached && isStatic) this.addMethod(where, instance as Record<string, unknown>, name, cached);
        if (!metadata) continue;
        if (isRoute(method)) jobs.push(this.routeJob(where, metadata, cached));
        else if (isStatic)
          jobs.push(this.methodJob(where, instance as Record<string, unknown>, name, metadata, cached));
        else throw new CacheOptionsError(`${where}: cannot be warmed, it is made anew for each request`);
      }
    }
    if (this.hot.isOn) jobs.push(this.hotJob());
    return jobs;
  }

  private hotJob(): WarmJob {
    const policies = [...new Set([...this.#targets.values()].map(({ policy }) => policy))];
    return {
      name: hotJobName,
      categories: [hotJobName],
      cron: undefined,
      critical: false,
      priority: hotPriority,
      policies,
      units: async () => {
        const hottest = await this.hot.hottest(policies);
        // What cannot be read again is of another version of the application.
        return hottest.flatMap(({ member }) => {
          const read = repeatableOf(member);
          return (read && this.#targets.get(read.head)?.unitOf(read)) ?? [];
        });
      },
    };
  }

  private addRoute(controller: Class, handler: object, cached: CachedMetadata): void {
    const route = this.routes.of(controller, handler);
    if (!route?.isRepeatable) return;
    const { head } = route.rules;
    const [template, ...others] = this.paths.withMetadata(CACHED_METADATA, cached);
    // One of several templates is not told apart by what was noted of a read.
    if (template === undefined || others.length > 0) return;
    this.#targets.set(head, {
      policy: route.policy.name,
      unitOf: read => {
        if (!('request' in read)) return undefined;
        try {
          return this.routeUnit(head, routeUrl(template, read.request), read.request);
        } catch {
          return undefined; // the path has other parameters by now
        }
      },
    });
  }

  private addMethod(
    where: string,
    instance: Record<string, unknown>,
    name: string,
    cached: CachedMetadata,
  ): void {
    const head = cached.options.key ?? where;
    this.#targets.set(head, {
      policy: this.policies.resolve(where, cached).name,
      unitOf: read => ('args' in read ? this.methodUnit(head, head, instance, name, read.args) : undefined),
    });
  }

  private routeUnit(head: string, url: string, request: RequestParts): WarmUnit {
    return {
      name: url,
      member: memberOf({ head, request }),
      run: (signal, withinMs) => this.ask(url, head, request.headers, signal, withinMs),
    };
  }

  private methodUnit(
    label: string,
    head: string | undefined,
    instance: Record<string, unknown>,
    name: string,
    args: readonly unknown[],
  ): WarmUnit {
    return {
      name: label,
      member: head === undefined ? undefined : memberOf({ head, args }),
      run: (_signal, withinMs) =>
        this.observed(head, withinMs, async () => void (await (instance[name] as Method)(...args))),
    };
  }

  private routeJob(where: string, metadata: WarmUpMetadata, cached: CachedMetadata | undefined): WarmJob {
    if (!cached) throw new CacheOptionsError(`${where}: cannot be warmed, it is not cached`);
    if (metadata.args)
      throw new CacheOptionsError(`${where}: args is for methods; requests says what to ask a route for`);
    const head = cached.options.key ?? where;
    const templates = this.paths.withMetadata(WARM_UP_METADATA, metadata);
    const requests = metadata.requests ?? [{}];
    const units = templates.flatMap(template =>
      requests.map(({ params = {}, query = {} }) =>
        this.routeUnit(head, urlOf(where, template, { params, query }), { params, query, headers: {} }),
      ),
    );
    return { ...this.commonOf(head, metadata), units: () => Promise.resolve(units) };
  }

  private methodJob(
    where: string,
    instance: Record<string, unknown>,
    name: string,
    metadata: WarmUpMetadata,
    cached: CachedMetadata | undefined,
  ): WarmJob {
    if (metadata.requests)
      throw new CacheOptionsError(`${where}: requests is for routes; args says how to call a method`);
    const head = cached && (cached.options.key ?? where);
    const { args } = metadata;
    return {
      ...this.commonOf(head ?? where, metadata),
      units: async () => {
        const lists = typeof args === 'function' ? await args.call(instance) : (args ?? [[]]);
        return lists.map(list => this.methodUnit(head ?? where, head, instance, name, list));
      },
    };
  }

  private commonOf(
    name: string,
    { categories, cron, critical = false, priority = 0 }: WarmUpMetadata,
  ): Omit<WarmJob, 'units'> {
    const policy = this.#targets.get(name)?.policy;
    return { name, categories, cron, critical, priority, policies: policy === undefined ? [] : [policy] };
  }

  private async ask(
    url: string,
    head: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    withinMs: number | undefined,
  ): Promise<WarmOutcome> {
    let status = 0;
    const outcome = await this.observed(head, withinMs, async () => {
      ({ status } = await this.requests.get(url, headers, signal));
    });
    return status >= 200 && status < 300
      ? outcome
      : status === 0 && outcome.kind === 'failed'
        ? outcome
        : { kind: 'failed', error: status === 0 ? 'it was not answered' : `answered ${status}` };
  }

  /**
   * Runs something as a warm-up and judges it by its reads. Once more when it was overtaken: by an invalidation, or by the
   * load of an outer entry, which may not share a load that began before its own.
   */
  private async observed(
    head: string | undefined,
    withinMs: number | undefined,
    run: () => Promise<void>,
  ): Promise<WarmOutcome> {
    const first = await this.observedOnce(head, withinMs, run);
    return first.kind === 'failed' && first.overtaken ? this.observedOnce(head, withinMs, run) : first;
  }

  private async observedOnce(
    head: string | undefined,
    withinMs: number | undefined,
    run: () => Promise<void>,
  ): Promise<WarmOutcome> {
    const reads: ObservedRead[] = [];
    try {
      await this.cache.runAs('warm-up', () => this.observer.observe(reads, run), withinMs);
    } catch (error) {
      return failureOf(error);
    }
    return warmOutcome(reads, head);
  }
}

function urlOf(where: string, template: string, request: WarmRequest): string {
  try {
    return routeUrl(template, request);
  } catch (error) {
    throw new CacheOptionsError(`${where}: ${messageOf(error)}`);
  }
}
