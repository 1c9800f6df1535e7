import { CacheOptionsError, overridePolicy, policies, type CachePolicy, type ValueSerializer } from '../core';
import { at, policyOptionsOf } from './decorators/decorator-options';
import type { CachedMetadata } from './decorators/cached.decorator';

/** How many decorated routes and methods are under a policy, and which overrides of it they do not follow. */
export interface PolicyPlaces {
  readonly total: number;
  /** Those that gave their own `ttlMs`. */
  readonly ownTtl: number;
  /** Those that gave their own `staleMs`. */
  readonly ownStale: number;
}

/** The policies of an application by name: the six of the table, and its own. */
export class PolicyTable {
  readonly #byName = new Map<string, CachePolicy>(Object.entries(policies));
  /** What the decorated places have, by the place: as many as are in the code. */
  readonly #places = new Map<string, CachePolicy>();

  /** @throws CacheOptionsError when two policies have one name */
  constructor(own: readonly CachePolicy[] = []) {
    for (const policy of own) {
      if (this.#byName.has(policy.name))
        throw new CacheOptionsError(`there are two policies named ${policy.name}`);
      this.#byName.set(policy.name, policy);
    }
  }

  all(): readonly CachePolicy[] {
    return [...this.#byName.values()];
  }

  get(name: string): CachePolicy | undefined {
    return this.#byName.get(name);
  }

  /**
   * The policy of a decorated place, overrides included.
   * @throws CacheOptionsError naming the place, for an unknown policy or a bad option
   */
  resolve(where: string, { policy, options }: CachedMetadata, serializer?: ValueSerializer): CachePolicy {
    const base = typeof policy === 'string' ? this.named(where, policy) : policy;
    const resolved = at(where, () =>
      overridePolicy(base, { ...policyOptionsOf(options), ...(serializer && { serializer }) }),
    );
    this.#places.set(where, resolved);
    return resolved;
  }

  /** The places that have been resolved under a policy: all of them once the application has started. */
  placesOf(name: string): PolicyPlaces {
    const places = [...this.#places.values()].filter(place => place.name === name);
    return {
      total: places.length,
      ownTtl: places.filter(({ ownTtl }) => ownTtl).length,
      ownStale: places.filter(({ ownStale }) => ownStale).length,
    };
  }

  private named(where: string, name: string): CachePolicy {
    const policy = this.#byName.get(name);
    if (policy) return policy;
    const known = [...this.#byName.keys()].join(', ');
    throw new CacheOptionsError(`${where}: there is no policy ${name}; there are ${known}`);
  }
}
