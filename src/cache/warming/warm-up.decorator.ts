import 'reflect-metadata';
import { CacheOptionsError } from '../core';

export const WARM_UP_METADATA = 'sutazai:warm-up';

/** One request of a route to be warmed. */
export interface WarmRequest {
  /** Path parameters. Default none. */
  params?: Readonly<Record<string, string>>;
  /** Query parameters, of those that the route declares. Default none. */
  query?: Readonly<Record<string, string | readonly string[]>>;
}

export interface WarmUpOptions {
  /** Under which names the job is warmed: `agents`, `models`, `settings`, `health`, `api_endpoints`, or others. At least one. */
  category: string | readonly string[];
  /** Routes: the requests that are made. Default: one without parameters. */
  requests?: readonly WarmRequest[];
  /** Methods: the argument lists of the calls, or a function that tells them, called on the instance. Default: one call without arguments. */
  args?:
    | readonly (readonly unknown[])[]
    | (() => readonly (readonly unknown[])[] | Promise<readonly (readonly unknown[])[]>);
  /** A schedule of its own, besides that of the service: a cron expression of 5 or 6 fields. Default none. */
  cron?: string;
  /** The application is not ready before this has been warmed, or `warming.readyDeadlineMs` is over. Default false. */
  critical?: boolean;
  /** Jobs of higher priority are warmed first; the hottest keys have 100. From 0 to 1,000. Default 0. */
  priority?: number;
}

export interface WarmUpMetadata extends Omit<WarmUpOptions, 'category'> {
  readonly categories: readonly string[];
}

const categoryPattern = /^[a-z][a-z0-9_-]{0,63}$/;

/**
 * Declares that a route or method is to be warmed. The job runs the real loader under the real key: a route is asked by a
 * request from inside the process, a method is called. Reads of warming are not counted in the statistics.
 *
 * @throws CacheOptionsError when the class is defined, naming class and method
 */
export function WarmUp({ category, ...options }: WarmUpOptions): MethodDecorator {
  return (target, property, descriptor) => {
    const where = `${target.constructor.name}.${String(property)}`;
    if (typeof descriptor.value !== 'function')
      throw new CacheOptionsError(`${where}: only methods can be warmed`);
    const categories = typeof category === 'string' ? [category] : [...category];
    if (categories.length === 0) throw new CacheOptionsError(`${where}: category names nothing`);
    for (const name of categories) {
      if (!categoryPattern.test(name)) {
        throw new CacheOptionsError(
          `${where}: category must begin with a-z and have up to 64 of a-z 0-9 _ -, not ${JSON.stringify(name)}`,
        );
      }
    }
    const { priority = 0 } = options;
    if (!Number.isInteger(priority) || priority < 0 || priority > 1_000)
      throw new CacheOptionsError(
        `${where}: priority must be a whole number from 0 to 1000, not ${String(priority)}`,
      );
    const metadata: WarmUpMetadata = Object.freeze({ ...options, categories: Object.freeze(categories) });
    Reflect.defineMetadata(WARM_UP_METADATA, metadata, descriptor.value);
  };
}
