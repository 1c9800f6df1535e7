import { AsyncLocalStorage } from 'node:async_hooks';
import { CacheError } from '../core';
import type { PrincipalScope } from './principal';

/** A cached handler has read something that is not in its key: another request would get an answer made from it. */
export class UnkeyedInputError extends CacheError {
  constructor(
    where: string,
    readonly inputs: readonly string[],
  ) {
    super(
      'CACHE_UNKEYED_INPUT',
      `${where} is cached and reads ${inputs.join(', ')}, which is not in its key: declare it (query, headers, principal), or do not read it`,
    );
  }
}

/** What of a request the key of a route covers. Path parameters always are. */
export interface CoveredInputs {
  /** `AgentsController.list`. */
  readonly where: string;
  readonly query: ReadonlySet<string>;
  /** In lower case. */
  readonly headers: ReadonlySet<string>;
  readonly principal: PrincipalScope;
  /** Properties of `request.user` that are the same for all users of one tenant. */
  readonly tenantProperties: ReadonlySet<string>;
}

export interface InputWatch {
  /** Runs the handler; what it reads outside of the key is an error where it reads it, and is remembered. */
  run<R>(handler: () => Promise<R>): Promise<R>;
}

type Source = Record<string, unknown>;

/** Whole properties of a request that depend on who sent it, from where, or how it was spelled. */
const wholeInputs = [
  'url',
  'originalUrl',
  'ip',
  'ips',
  'host',
  'hostname',
  'protocol',
  'secure',
  'subdomains',
  'xhr',
  'session',
  'rawHeaders',
  'headersDistinct',
  'socket',
  'connection',
] as const;

// Asked of any object by libraries and by the language itself.
const harmless = new Set<string>([
  ...Object.getOwnPropertyNames(Object.prototype),
  'then',
  'toJSON',
  'length',
]);

/**
 * Whose handler runs, as its watch. One for all requests: until Node 24 each storage that has ever run something costs time at
 * every promise of the process and is never freed, so that one for each request made the process slower with every request.
 */
const inside = new AsyncLocalStorage<InputWatch | undefined>();

/**
 * Watches a request while its cached handler runs. The request itself is changed for that time, because the framework hands
 * that one, and no copy of it, to parameter decorators, pipes and interceptors. What reads it from elsewhere (a logger that
 * hears the connection close) is not the handler, which the async context tells.
 *
 * The names of the query may be listed: a request with one that is not declared never comes here.
 */
export function watchInputs(request: object, covered: CoveredInputs): InputWatch {
  const unkeyed = new Set<string>();
  const refuse = (input: string): void => {
    if (inside.getStore() !== watch) return;
    unkeyed.add(input);
    throw new UnkeyedInputError(covered.where, [input]);
  };
  // The query of Express is worked out from the URL, by a getter: that is not the handler's doing.
  const outside = (read: () => unknown): unknown => inside.run(undefined, read);
  /** A view on an object that answers for the covered names and refuses the others. */
  const view = (
    kind: string,
    source: unknown,
    covers: (name: string) => boolean,
    mayList: boolean,
  ): unknown => {
    if (typeof source !== 'object' || source === null) {
      if (!mayList) refuse(kind);
      return source;
    }
    const check = (name: string | symbol): void => {
      if (typeof name === 'string' && !covers(name) && !harmless.has(name)) refuse(`${kind} ${name}`);
    };
    return new Proxy(source as Source, {
      get: (target, name) => (check(name), Reflect.get(target, name) as unknown),
      has: (target, name) => (check(name), Reflect.has(target, name)),
      getOwnPropertyDescriptor: (target, name) => (
        check(name),
        Reflect.getOwnPropertyDescriptor(target, name)
      ),
      ownKeys: target => {
        if (!mayList) refuse(`all of ${kind}`);
        return Reflect.ownKeys(target);
      },
    });
  };
  const views: Record<string, (value: unknown) => unknown> = {
    query: value => view('query', value, name => covered.query.has(name), true),
    headers: value => view('header', value, name => covered.headers.has(name.toLowerCase()), false),
    cookies: value => view('cookie', value, () => false, false),
    signedCookies: value => view('cookie', value, () => false, false),
  };
  if (covered.principal !== 'user') {
    const covers = (name: string): boolean =>
      covered.principal === 'tenant' && covered.tenantProperties.has(name);
    // Under a tenant, that nobody is signed in is in the key as well.
    const isCovered = (value: unknown): boolean => covered.principal === 'tenant' && value === undefined;
    views['user'] = value => (isCovered(value) ? value : view('user', value, covers, false));
  }
  for (const name of wholeInputs) views[name] = value => (refuse(name), value);

  const watch: InputWatch = {
    async run(handler) {
      const restore = Object.entries(views).map(([name, look]) =>
        replace(request as Source, name, look, outside),
      );
      try {
        return await inside.run(watch, handler);
      } finally {
        for (const undo of restore) undo();
        // A handler that has caught the error has read it all the same.
        if (unkeyed.size > 0) throw new UnkeyedInputError(covered.where, [...unkeyed]);
      }
    },
  };
  return watch;
}

/** Puts an accessor of our own in front of a property, and says how to take it away again. */
function replace(
  request: Source,
  name: string,
  look: (value: unknown) => unknown,
  outside: (read: () => unknown) => unknown,
): () => void {
  const own = Object.getOwnPropertyDescriptor(request, name);
  const inherited = own ? undefined : descriptorOf(Object.getPrototypeOf(request) as object | null, name);
  const read = (): unknown => {
    const descriptor = own ?? inherited;
    if (!descriptor) return undefined;
    return descriptor.get ? (descriptor.get.call(request) as unknown) : descriptor.value;
  };
  if (own?.configurable === false) return () => undefined;
  let seen: { value: unknown } | undefined;
  let written: { value: unknown } | undefined;
  Object.defineProperty(request, name, {
    configurable: true,
    enumerable: own?.enumerable ?? false,
    get: () => {
      if (written) return written.value;
      // Once: Express parses the query anew at each look, and a handler that keeps the object expects to see it again.
      seen ??= { value: outside(read) };
      return look(seen.value);
    },
    set: (value: unknown) => (written = { value }),
  });
  return () => {
    delete request[name];
    if (own) Object.defineProperty(request, name, own);
    if (written) request[name] = written.value;
  };
}

function descriptorOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  for (let at = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor) return descriptor;
  }
  return undefined;
}
