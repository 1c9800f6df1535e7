import 'reflect-metadata';

export const NEVER_CACHED_METADATA = 'sutazai:never-cached';

/**
 * Forbids caching of a route, or of all routes of a controller: a cache decorator there stops the start. For routes of
 * administrators, of sign-in, and others whose answer must come from the source each time.
 *
 * @param reason a few words for the error: `admin route`
 */
export function NeverCached(reason: string): MethodDecorator & ClassDecorator {
  return (target: object, _property?: string | symbol, descriptor?: PropertyDescriptor) => {
    Reflect.defineMetadata(
      NEVER_CACHED_METADATA,
      reason,
      (descriptor?.value as object | undefined) ?? target,
    );
  };
}
