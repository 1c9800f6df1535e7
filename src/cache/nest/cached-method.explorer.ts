import 'reflect-metadata';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { CacheOptionsError, CacheTagError, joinTags, TieredCache } from '../core';
import { CacheInvalidation } from './cache-invalidation';
import { CACHED_METADATA, type CachedMetadata } from './decorators/cached.decorator';
import { INVALIDATES_METADATA, type InvalidatesOptions } from './decorators/invalidates-cache.decorator';
import { KeyHeads } from './key-heads';
import { methodKey, UnkeyableArgumentError } from './method-key';
import { isRoute } from './nest-metadata';
import { PolicyTable } from './policy-table';
import { memberOf, ReadEvidence, repeatableOf } from './read-evidence';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Instance = Record<string, unknown>;

/**
 * Wraps the decorated methods of every provider when the application starts, on the instance, so that calls from inside
 * (`this.x()`) and from outside go through the cache alike. Routes are left to the interceptors. Providers that are made
 * anew for each request, or for each class that injects them, are not wrapped and are named in a warning.
 */
@Injectable()
export class CachedMethodExplorer implements OnModuleInit {
  readonly #logger = new Logger('Cache');
  readonly #wrapped = new WeakSet<object>();
  readonly #unkeyable = new Set<string>();

  constructor(
    private readonly cache: TieredCache,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly policies: PolicyTable,
    private readonly heads: KeyHeads,
    private readonly invalidation: CacheInvalidation,
    private readonly evidence: ReadEvidence,
  ) {}

  /** @throws CacheOptionsError naming class and method, for one that cannot be cached as it is declared */
  onModuleInit(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const instance: unknown = wrapper.instance;
      if (typeof instance !== 'object' || instance === null) continue;
      const methods = this.decorated(instance as Instance);
      if (methods.length === 0) continue;
      if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
        this.#logger.warn(
          `${methods.map(name => `${String(wrapper.name)}.${name}`).join(', ')} not wrapped: made anew for each request or each user of it`,
        );
        continue;
      }
      if (this.#wrapped.has(instance)) continue;
      this.#wrapped.add(instance);
      for (const name of methods) this.wrap(instance as Instance, name);
    }
  }

  private decorated(instance: Instance): string[] {
    const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
    return this.scanner.getAllMethodNames(prototype).filter(name => {
      const method = prototype![name] as object;
      return (
        !isRoute(method) &&
        (Reflect.hasMetadata(CACHED_METADATA, method) || Reflect.hasMetadata(INVALIDATES_METADATA, method))
      );
    });
  }

  private wrap(instance: Instance, name: string): void {
    const original = instance[name] as Method;
    const owner = instance.constructor;
    const where = `${owner.name}.${name}`;
    refuseSynchronous(where, instance, name);
    let wrapped = original;
    const cached = Reflect.getMetadata(CACHED_METADATA, original) as CachedMetadata | undefined;
    if (cached) wrapped = this.cachedMethod(where, owner, original, wrapped, cached);
    const invalidates = Reflect.getMetadata(INVALIDATES_METADATA, original) as InvalidatesOptions | undefined;
    if (invalidates) wrapped = this.invalidatingMethod(where, wrapped, invalidates);
    for (const key of Reflect.getMetadataKeys(original) as string[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapped);
    }
    Object.defineProperty(wrapped, 'name', { value: original.name, configurable: true });
    Object.defineProperty(wrapped, 'length', { value: original.length, configurable: true });
    Object.defineProperty(instance, name, {
      value: wrapped,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }

  private cachedMethod(
    where: string,
    owner: object,
    original: object,
    run: Method,
    metadata: CachedMetadata,
  ): Method {
    const { options } = metadata;
    if (options.query || options.headers || options.statuses || options.perHost) {
      throw new CacheOptionsError(
        `${where}: query, headers, statuses and perHost are for routes; a method's key is made of its arguments`,
      );
    }
    const head = options.key ?? where;
    if (this.heads.take(head, where, owner, original)) {
      this.#logger.warn(
        `${where} is provided more than once, and its instances share the entries of ${head}`,
      );
    }
    const policy = this.policies.resolve(where, metadata);
    const { cache, evidence } = this;
    // A call that text cannot hold, such as one with a date, cannot be made again.
    const tell = (key: string, args: readonly unknown[]): void => {
      const member = memberOf({ head, args });
      const again = member === undefined ? undefined : repeatableOf(member);
      if (!again || !('args' in again)) return;
      try {
        if (methodKey(head, pickArguments ? pickArguments(...again.args) : again.args) !== key) return;
      } catch {
        return;
      }
      evidence.tell(policy.name, again);
    };
    const pickArguments = options.args as ((...args: unknown[]) => readonly unknown[]) | undefined;
    const tagsOf = typeof options.tags === 'function' ? options.tags : undefined;
    const passed = (reason: unknown): void => this.countUnkeyable(where, policy.name, reason);
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      let key: string;
      let tags: readonly string[] | undefined;
      try {
        key = methodKey(head, pickArguments ? pickArguments(...args) : args);
        tags = tagsOf?.(Object.assign([...args], { params: {}, query: {} }));
        if (tags) joinTags(policy.tags, tags);
      } catch (error) {
        passed(error);
        return run.apply(this, args);
      }
      if (cache.purpose === 'request' && evidence.due()) tell(key, args);
      return cache.getOrSet(key, () => run.apply(this, args), tags ? { policy, tags } : { policy });
    };
  }

  private invalidatingMethod(where: string, run: Method, options: InvalidatesOptions): Method {
    const { invalidation } = this;
    return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const context = { args, params: {}, query: {}, body: undefined };
      let result: unknown;
      try {
        result = await run.apply(this, args);
      } catch (error) {
        await invalidation.afterFailure(where, options, context, error);
        throw error;
      }
      await invalidation.after(where, options, { ...context, result });
      return result;
    };
  }

  /** The call runs uncached. Counted each time, logged the first time: a hot call would fill the log. */
  private countUnkeyable(where: string, policy: string, error: unknown): void {
    this.cache.countBypass(policy);
    if (this.#unkeyable.has(where)) return;
    this.#unkeyable.add(where);
    const isExplained = error instanceof UnkeyableArgumentError || error instanceof CacheTagError;
    const reason = isExplained ? error.message : 'its key or tags function threw';
    this.#logger.warn(`${where} is called uncached: ${reason}`, isExplained ? undefined : error);
  }
}

const synchronousTypes: readonly unknown[] = [String, Number, Boolean, Array, Date, Map, Set, BigInt, Symbol];

/** A cached method answers with a promise; one whose declared type is certainly something else would surprise its callers. */
function refuseSynchronous(where: string, instance: object, name: string): void {
  const type: unknown = Reflect.getMetadata('design:returntype', instance, name);
  if (synchronousTypes.includes(type)) {
    throw new CacheOptionsError(
      `${where}: only methods that return a promise can be wrapped, and this one is declared to return ${(type as { name: string }).name}`,
    );
  }
}
