import type { CanActivate, ExecutionContext, PipeTransform, Type } from '@nestjs/common';
import type { Request } from 'express';
import { type DeclaredInput, declaredInputOf, refuseUndeclaredQuery } from './declared-input';
import { RequestValidationPipe } from './validation.pipe';

type Check = (query: unknown) => Promise<void> | void;

/**
 * Checks the query of open routes before the cache is asked: by the class of the parameter, and by the pipes at it, in the order
 * in which they run behind the cache on a miss. There alone they would come too late: a query that cannot be answered would
 * cost a look into the cache, a lease and a load first. A route that takes no query gets none. Routes with guards of their own
 * are left to their pipes and to `UndeclaredInputInterceptor`, so that who may not come in is told that and not what is wrong
 * with the query.
 */
export class QueryGuard implements CanActivate {
  private readonly pipe = new RequestValidationPipe();
  private readonly checks = new WeakMap<object, readonly Check[]>();

  /** @param pipeOf the application's own pipe of a class, as it stands at a parameter */
  constructor(private readonly pipeOf: (type: Type<PipeTransform>) => PipeTransform) {}

  /** @throws ProblemException 400 */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const handler = context.getHandler();
    let checks = this.checks.get(handler);
    if (!checks) this.checks.set(handler, (checks = this.checksOf(declaredInputOf(context))));
    if (checks.length === 0) return true;
    const { query } = context.switchToHttp().getRequest<Request>();
    for (const check of checks) await check(query);
    return true;
  }

  private checksOf(declared: DeclaredInput): readonly Check[] {
    if (declared.isGuarded || declared.allowsAny) return [];
    if (declared.queries.length === 0) return [query => refuseUndeclaredQuery(query, declared)];
    return declared.queries.map(({ metatype, pipes }) => {
      const own = pipes.map(pipe => (typeof pipe === 'function' ? this.pipeOf(pipe) : pipe));
      return async (query: unknown) => {
        let value = query;
        for (const pipe of [this.pipe, ...own])
          value = (await pipe.transform(value, { type: 'query', metatype })) as unknown;
      };
    });
  }
}
