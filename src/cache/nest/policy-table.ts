import { CacheOptionsError, overridePolicy, policies, type CachePolicy, type ValueSerializer } from '../core';
import { at, policyOptionsOf } from './decorators/decorator-options';
import type { CachedMetadata } from './decorators/cached.decorator';

/** The policies of an application by name: the six of the table, and its own. */
export class PolicyTable {
  readonly #byName = new Map<string, CachePolicy>(Object.entries(policies));

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
    return at(where, () =>
      overridePolicy(base, { ...policyOptionsOf(options), ...(serializer && { serializer }) }),
    );
  }

  private named(where: string, name: string): CachePolicy {
    const policy = this.#byName.get(name);
    if (policy) return policy;
    const known = [...this.#byName.keys()].join(', ');
    throw new CacheOptionsError(`${where}: there is no policy ${name}; there are ${known}`);
  }
}
