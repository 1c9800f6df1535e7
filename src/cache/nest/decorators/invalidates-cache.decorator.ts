import 'reflect-metadata';
import { CacheOptionsError, checkKey, checkTags } from '../../core';
import { at, placeOf } from './decorator-options';

export const INVALIDATES_METADATA = 'sutazai:invalidates';

/** What the functions of a route are told after it succeeded. */
export interface RouteWriteContext {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** What the handler answered with; undefined when nobody knows whether it has written. */
  readonly result: unknown;
}

/** What the functions of a method are told after it succeeded. */
export interface MethodWriteContext {
  readonly args: readonly unknown[];
  /** What it resolved to; undefined when nobody knows whether it has written. */
  readonly result: unknown;
}

/** Works out what a write made invalid. Either may annotate its parameter with what it expects. */
export type WriteFunction = { of(context: RouteWriteContext & MethodWriteContext): readonly string[] }['of'];

export interface InvalidatesOptions {
  /** Tags whose entries are removed. Default none. */
  tags?: readonly string[] | WriteFunction;
  /** Keys that are removed. Default none. */
  keys?: readonly string[] | WriteFunction;
}

/**
 * Invalidates tags and keys after a write has succeeded: a route that answered with 2xx or 3xx, before its answer is
 * sent, so that whoever reads after it sees the change; a method that did not throw, before its caller goes on.
 * When Redis is away the invalidation is queued and the answer goes out all the same.
 *
 * A write that failed may have happened: the database was lost before it answered. What `outcomeUnknown` of the module says is
 * such a failure invalidates as well, when the outcome is settled; functions are given no `result` then.
 *
 * @throws CacheOptionsError when the class is defined, naming class and method
 */
export function InvalidatesCache(options: InvalidatesOptions): MethodDecorator {
  return (target, property, descriptor) => {
    const where = placeOf(target, property);
    if (typeof descriptor.value !== 'function')
      throw new CacheOptionsError(`${where}: only methods can invalidate`);
    at(where, () => {
      if (options.tags === undefined && options.keys === undefined)
        throw new CacheOptionsError('neither tags nor keys are given');
      if (options.tags !== undefined && typeof options.tags !== 'function') checkTags(options.tags);
      if (options.keys !== undefined && typeof options.keys !== 'function') options.keys.forEach(checkKey);
    });
    Reflect.defineMetadata(INVALIDATES_METADATA, Object.freeze({ ...options }), descriptor.value);
  };
}
