/** What the rest of the application, and other applications, may import of the cache. */
export * from './core';
export { CacheModule } from './nest/cache.module';
export type {
  CacheConnections,
  CacheModuleOptions,
  FastPathOptions,
  PrincipalResolver,
  WarmingOptions,
} from './nest/cache.module-definition';
export type { MiddlewareLayer, MiddlewareTreatment } from './nest/fast-edge';
export { identityTag, principalTag, UnkeyedInputError, type Principal, type PrincipalScope } from './http';
export {
  Cached,
  CacheApiResponse,
  CacheDatabaseQuery,
  CacheHeavyComputation,
  CacheModelData,
  CacheSessionData,
  CacheStaticData,
  type CachedOptions,
} from './nest/decorators/cached.decorator';
export type { CacheDecoratorOptions, RouteCacheContext } from './nest/decorators/decorator-options';
export {
  InvalidatesCache,
  type InvalidatesOptions,
  type MethodWriteContext,
  type RouteWriteContext,
} from './nest/decorators/invalidates-cache.decorator';
export { NeverCached } from './nest/decorators/never-cached.decorator';
export { CachedRoutes, type CachedRoute } from './nest/cached-routes';
export { CacheDoctor } from './nest/cache-doctor';
export { adviceKinds, type Advice, type AdviceKind, type Diagnosis, type FamilyReport } from './doctor';
export { Fleet, type FleetMember, type FleetStatistics } from './nest/fleet-statistics';
export { methodKey } from './nest/method-key';
export { PolicyTable } from './nest/policy-table';
export { WarmUp, type WarmRequest, type WarmUpOptions } from './warming/warm-up.decorator';
export {
  WarmJobUnknownError,
  warmStates,
  warmTriggers,
  type WarmRun,
  type WarmState,
  type WarmTrigger,
} from './warming/warm-run';
export { WarmingService, type WarmPreview, type WarmSelection } from './warming/warming.service';
