import 'reflect-metadata';
import { CacheOptionsError, overridePolicy, policies, type CachePolicy, type PolicyName } from '../../core';
import {
  at,
  checkDecoratorOptions,
  placeOf,
  policyOptionsOf,
  type CacheDecoratorOptions,
} from './decorator-options';

/** Metadata key of a cached route or method. This file must not import the interceptor: metadata and wiring stay apart. */
export const CACHED_METADATA = 'sutazai:cached';

/** What the decorators leave behind. The policy is worked out at the start: names may be of policies registered later. */
export interface CachedMetadata {
  /** A policy, or the name of one of the table or of `CacheModuleOptions.policies`. */
  readonly policy: string | CachePolicy;
  readonly options: CacheDecoratorOptions;
}

export interface CachedOptions extends CacheDecoratorOptions {
  /** One of the six, the name of a registered policy, or a policy of your own. */
  policy: PolicyName | CachePolicy | (string & {});
}

/**
 * Caches what a controller route or a method of any provider answers.
 *
 * On a route (GET) the whole response is stored and replayed: the controller is not called on a hit, guards are. The key is
 * made of path parameters, declared query and declared headers; anything else in the request goes past the cache.
 * On a method the arguments are the key (see `methodKey`). The decorated method always answers with a promise, and is
 * wrapped when the application starts: calls through `this` are cached too, those made before are not.
 *
 * Not for answers that depend on who asks, or on anything else that is not in the key.
 *
 * @throws CacheOptionsError when the class is defined, naming class and method; at the start for unknown policies
 */
export function Cached({ policy, ...options }: CachedOptions): MethodDecorator {
  return (target, property, descriptor) => {
    const where = placeOf(target, property);
    if (typeof descriptor.value !== 'function')
      throw new CacheOptionsError(`${where}: only methods can be cached`);
    const known =
      typeof policy === 'string' ? (policies as Readonly<Record<string, CachePolicy>>)[policy] : policy;
    at(where, () => {
      checkDecoratorOptions(options);
      if (known) overridePolicy(known, policyOptionsOf(options));
      else if (typeof policy !== 'string' || policy === '')
        throw new CacheOptionsError('policy must be a policy or its name');
    });
    const metadata: CachedMetadata = Object.freeze({ policy, options: Object.freeze({ ...options }) });
    Reflect.defineMetadata(CACHED_METADATA, metadata, descriptor.value);
  };
}

/** AI model data: 3,600 s, and 3,600 s stale. */
export const CacheModelData = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'model' });

/** Sessions and principals: 1,800 s, never stale. */
export const CacheSessionData = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'session' });

/** API responses: 300 s, and 300 s stale. */
export const CacheApiResponse = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'api' });

/** Database queries: 600 s, and 600 s stale. */
export const CacheDatabaseQuery = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'db' });

/** Expensive computations: 1,800 s, and 3,600 s stale. */
export const CacheHeavyComputation = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'compute' });

/** Rarely changing data: 7,200 s, and 86,400 s stale. */
export const CacheStaticData = (options: CacheDecoratorOptions = {}): MethodDecorator =>
  Cached({ ...options, policy: 'static' });
