import { CacheError, CacheOptionsError, checkTags, type PolicyOptions } from '../../core';
import { headPattern, optionalStatuses, principalScopes, type PrincipalScope } from '../../http';
import type { CacheKeyPart } from '../method-key';

/** What a tags function of a route is told. */
export interface RouteCacheContext {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
}

/**
 * Works out the tags of one entry: a route's function gets `params` and `query`, a method's the list of arguments. Either may
 * annotate its parameter with what it expects.
 */
export type TagsFunction = { of(context: RouteCacheContext & readonly unknown[]): readonly string[] }['of'];

/** Options of a cache decorator, on top of those of its policy. */
export interface CacheDecoratorOptions extends Omit<PolicyOptions, 'tags' | 'serializer'> {
  /**
   * Readable head of the key, unique in the application: `agents:list`. From 1 to 120 of the characters
   * `A-Z a-z 0-9 _ $ . : @ / -`. Default: `ClassName.method`.
   */
  key?: string;
  /** Tags besides the policy's; a function gets the request (`params`, `query`) or the method's arguments. Default none. */
  tags?: readonly string[] | TagsFunction;
  /** Methods: what of the arguments is in the key. Default: all of them. */
  args?: (...args: never[]) => readonly CacheKeyPart[];
  /** Routes: query parameters in the key; a request with any other is not cached. Default none. */
  query?: readonly string[];
  /**
   * Routes: request headers in the key, and in `Vary`. With the values that the route tells apart, the default first, the key
   * and the handler see one of them, whatever was sent. Default none.
   */
  headers?: readonly (string | { readonly name: string; readonly oneOf: readonly string[] })[];
  /**
   * Routes: for whom an answer is. `none`: everybody gets the same, and a request with credentials goes past the cache;
   * `tenant`, `user`: one answer for each, kept and sent as `private`. Needs `CacheModuleOptions.principal`. Default `none`.
   */
  principal?: PrincipalScope;
  /**
   * Routes: the answer is about the host that this process runs on; `CacheModuleOptions.host` is in the key, so that the instances of
   * one host share it and others do not. Default false.
   */
  perHost?: boolean;
  /** Routes: statuses besides 200 that are stored, of 203, 204, 301, 308, 404, 410 (the last two for 5 s at most). Default none. */
  statuses?: readonly number[];
}

const policyOptionNames = [
  'ttlMs',
  'staleMs',
  'tier',
  'negativeTtlMs',
  'jitter',
  'refreshAheadFraction',
  'loaderTimeoutMs',
  'softDeadlineMs',
  'deadlineMs',
  'leaseMs',
  'waitMs',
  'maxConcurrentLoads',
  'failSafe',
] as const satisfies readonly (keyof PolicyOptions)[];

const ownOptionNames = [
  'key',
  'tags',
  'args',
  'query',
  'headers',
  'statuses',
  'principal',
  'perHost',
] as const satisfies readonly (keyof CacheDecoratorOptions)[];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The options of the policy among those of a decorator, static tags included. */
export function policyOptionsOf(options: CacheDecoratorOptions): PolicyOptions {
  const picked: Record<string, unknown> = {};
  for (const name of policyOptionNames) if (options[name] !== undefined) picked[name] = options[name];
  if (options.tags !== undefined && typeof options.tags !== 'function') picked.tags = options.tags;
  return picked;
}

/** @throws CacheError naming the option and the value; durations are the policy's business */
export function checkDecoratorOptions(options: CacheDecoratorOptions): void {
  const known: readonly string[] = [...policyOptionNames, ...ownOptionNames];
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new CacheOptionsError(`there is no option ${name}; there are ${known.join(', ')}`);
  }
  if (options.key !== undefined && !headPattern.test(options.key)) {
    throw new CacheOptionsError(
      `key must be 1 to 120 of the characters A-Z a-z 0-9 _ $ . : @ / -, not ${JSON.stringify(options.key)}`,
    );
  }
  if (options.tags !== undefined && typeof options.tags !== 'function') checkTags(options.tags);
  if (options.args !== undefined && typeof options.args !== 'function')
    throw new CacheOptionsError('args must be a function');
  for (const name of options.query ?? []) {
    if (typeof name !== 'string' || name === '')
      throw new CacheOptionsError(`query must name parameters, not ${String(name)}`);
  }
  for (const header of options.headers ?? []) checkHeader(header);
  if (options.principal !== undefined && !principalScopes.includes(options.principal)) {
    throw new CacheOptionsError(
      `principal must be one of ${principalScopes.join(', ')}, not ${String(options.principal)}`,
    );
  }
  if (options.perHost !== undefined && typeof options.perHost !== 'boolean')
    throw new CacheOptionsError(`perHost must be true or false, not ${String(options.perHost)}`);
  for (const status of options.statuses ?? []) {
    if (!optionalStatuses.includes(status)) {
      throw new CacheOptionsError(`statuses may be of ${optionalStatuses.join(', ')}, not ${String(status)}`);
    }
  }
}

function checkHeader(header: NonNullable<CacheDecoratorOptions['headers']>[number]): void {
  const { name, oneOf } = typeof header === 'string' ? { name: header, oneOf: undefined } : header;
  if (typeof name !== 'string' || !token.test(name))
    throw new CacheOptionsError(`headers must name headers, not ${String(name)}`);
  if (['authorization', 'cookie', 'proxy-authorization', 'x-api-key'].includes(name.toLowerCase()))
    throw new CacheOptionsError(`headers cannot name ${name}: who asks is what principal is for`);
  if (oneOf === undefined) return;
  if (
    !Array.isArray(oneOf) ||
    oneOf.length === 0 ||
    !oneOf.every(value => typeof value === 'string' && value !== '')
  )
    throw new CacheOptionsError(`headers: ${name}: oneOf must list values, the default first`);
}

/** Runs a check, so that its error says where the decorator stands: `AgentsController.list: …`. */
export function at<R>(where: string, check: () => R): R {
  try {
    return check();
  } catch (error) {
    if (error instanceof CacheError) throw new CacheOptionsError(`${where}: ${error.message}`);
    throw error;
  }
}

/** `ClassName.method`. */
export function placeOf(target: object, property: string | symbol): string {
  const owner = typeof target === 'function' ? target : target.constructor;
  return `${owner.name}.${String(property)}`;
}
