import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { CacheOptionsError, TieredCache } from '../core';
import { CachedPaths } from '../nest/cached-paths';
import { CACHED_METADATA, type CachedMetadata } from '../nest/decorators/cached.decorator';
import { InternalRequests } from '../nest/internal-requests';
import { isRoute } from '../nest/nest-metadata';
import { ReadObserver, type ObservedRead } from './read-observer';
import { messageOf, warmOutcome, type WarmOutcome } from './warm-outcome';
import { WARM_UP_METADATA, type WarmRequest, type WarmUpMetadata } from './warm-up.decorator';
import { routeUrl } from './route-url';

/** One load of a job: a request, or a call. */
export interface WarmUnit {
  /** For reports: `agents:list`, or `/api/v1/agents?limit=20`. */
  readonly name: string;
  run(signal: AbortSignal): Promise<WarmOutcome>;
}

export interface WarmJob {
  readonly name: string;
  readonly categories: readonly string[];
  readonly cron: string | undefined;
  readonly critical: boolean;
  /** What there is to load now; the arguments of methods may be worked out anew each time. */
  units(): Promise<readonly WarmUnit[]>;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Finds what `@WarmUp` declares, on routes and on methods of providers. */
@Injectable()
export class WarmUpRegistry {
  constructor(
    private readonly cache: TieredCache,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly paths: CachedPaths,
    private readonly requests: InternalRequests,
    private readonly observer: ReadObserver,
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
        if (!metadata) continue;
        const where = `${instance.constructor.name}.${name}`;
        const cached = Reflect.getMetadata(CACHED_METADATA, method) as CachedMetadata | undefined;
        if (isRoute(method)) jobs.push(this.routeJob(where, metadata, cached));
        else if (wrapper.isDependencyTreeStatic())
          jobs.push(this.methodJob(where, instance as Record<string, unknown>, name, metadata, cached));
        else throw new CacheOptionsError(`${where}: cannot be warmed, it is made anew for each request`);
      }
    }
    return jobs;
  }

  private routeJob(where: string, metadata: WarmUpMetadata, cached: CachedMetadata | undefined): WarmJob {
    if (!cached) throw new CacheOptionsError(`${where}: cannot be warmed, it is not cached`);
    if (metadata.args)
      throw new CacheOptionsError(`${where}: args is for methods; requests says what to ask a route for`);
    const head = cached.options.key ?? where;
    const templates = this.paths.withMetadata(WARM_UP_METADATA, metadata);
    const requests = metadata.requests ?? [{}];
    const urls = templates.flatMap(template => requests.map(request => urlOf(where, template, request)));
    return {
      ...commonOf(head, metadata),
      units: () =>
        Promise.resolve(urls.map(url => ({ name: url, run: signal => this.ask(url, head, signal) }))),
    };
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
      ...commonOf(head ?? where, metadata),
      units: async () => {
        const lists = typeof args === 'function' ? await args.call(instance) : (args ?? [[]]);
        return lists.map(list => ({
          name: head ?? where,
          run: () => this.observed(head, async () => void (await (instance[name] as Method)(...list))),
        }));
      },
    };
  }

  private async ask(url: string, head: string, signal: AbortSignal): Promise<WarmOutcome> {
    let status = 0;
    const outcome = await this.observed(head, async () => {
      ({ status } = await this.requests.get(url, {}, signal));
    });
    return status >= 200 && status < 300
      ? outcome
      : { kind: 'failed', error: status === 0 ? errorOf(outcome) : `answered ${status}` };
  }

  /**
   * Runs something as a warm-up and judges it by its reads. Once more when it was overtaken: by an invalidation, or by the
   * load of an outer entry, which may not share a load that began before its own.
   */
  private async observed(head: string | undefined, run: () => Promise<void>): Promise<WarmOutcome> {
    const first = await this.observedOnce(head, run);
    return first.kind === 'failed' && first.overtaken ? this.observedOnce(head, run) : first;
  }

  private async observedOnce(head: string | undefined, run: () => Promise<void>): Promise<WarmOutcome> {
    const reads: ObservedRead[] = [];
    try {
      await this.cache.runAs('warm-up', () => this.observer.observe(reads, run));
    } catch (error) {
      return { kind: 'failed', error: messageOf(error) };
    }
    return warmOutcome(reads, head);
  }
}

function commonOf(
  name: string,
  { categories, cron, critical }: WarmUpMetadata,
): Pick<WarmJob, 'name' | 'categories' | 'cron' | 'critical'> {
  return { name, categories, cron, critical: critical ?? false };
}

function urlOf(where: string, template: string, request: WarmRequest): string {
  try {
    return routeUrl(template, request);
  } catch (error) {
    throw new CacheOptionsError(`${where}: ${messageOf(error)}`);
  }
}

function errorOf(outcome: WarmOutcome): string {
  return outcome.kind === 'failed' ? outcome.error : 'it was not answered';
}
