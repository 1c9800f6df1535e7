import type { NestInterceptor } from '@nestjs/common';

/**
 * Moves an interceptor to the front of the application's list. The order of `APP_INTERCEPTOR` providers follows the order
 * of modules, the root module first: a `ClassSerializerInterceptor` provided there would otherwise run outside of the
 * cache, which would then store fields that it was to remove.
 *
 * Nest has no public way to the list; this one goes through the context creator. Routes copy the list when they are
 * registered, which is before `onModuleInit` and after `configure` of modules.
 *
 * @param external Nest's `ExternalContextCreator`
 * @returns false when the list could not be found
 */
export function putFirst(external: object, interceptor: NestInterceptor): boolean {
  const list = (
    external as { interceptorsContextCreator?: { config?: { getGlobalInterceptors?(): NestInterceptor[] } } }
  ).interceptorsContextCreator?.config?.getGlobalInterceptors?.();
  if (!Array.isArray(list)) return false;
  const at = list.indexOf(interceptor);
  if (at > 0) {
    list.splice(at, 1);
    list.unshift(interceptor);
  }
  return at >= 0;
}
