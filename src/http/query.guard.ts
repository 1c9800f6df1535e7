import type { CanActivate, ExecutionContext, PipeTransform, Type } from '@nestjs/common';
import { GUARDS_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import type { Request } from 'express';
import { refuseQuery, takesNoQuery } from './no-query.decorator';
import { RequestValidationPipe } from './validation.pipe';

type Check = (query: unknown) => Promise<void> | void;
interface Argument {
  index: number;
  data?: string;
  pipes: (PipeTransform | Type<PipeTransform>)[];
}

/**
 * Checks the query of open routes before the cache is asked: by the class of the parameter, and by the pipes at it, in the order
 * in which they run behind the cache on a miss. There alone they would come too late: a query that cannot be answered would
 * cost a look into the cache, a lease and a load first. Routes with guards of their own are left to their pipes,
 * so that who may not come in is told that and not what is wrong with the query. A route under `NoQuery` is open by what that
 * decorator says: there any parameter is refused.
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
    if (!checks) this.checks.set(handler, (checks = this.checksOf(context.getClass(), handler)));
    if (checks.length === 0) return true;
    const { query } = context.switchToHttp().getRequest<Request>();
    for (const check of checks) await check(query);
    return true;
  }

  private checksOf(controller: Type, handler: { readonly name: string }): readonly Check[] {
    if (takesNoQuery(handler)) return [refuseQuery];
    const isGuarded = [controller, handler].some(place => Reflect.hasMetadata(GUARDS_METADATA, place));
    if (isGuarded) return [];
    const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) as
      Record<string, Argument> | undefined;
    const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler.name) as
      Type[] | undefined;
    return Object.entries(args ?? {}).flatMap(([key, { index, data, pipes }]) => {
      if (!key.startsWith(`${RouteParamtypes.QUERY}:`) || data !== undefined) return [];
      const metadata = { type: 'query', metatype: types?.[index] } as const;
      const own = pipes.map(pipe => (typeof pipe === 'function' ? this.pipeOf(pipe) : pipe));
      return async (query: unknown) => {
        let value = query;
        for (const pipe of [this.pipe, ...own]) value = (await pipe.transform(value, metadata)) as unknown;
      };
    });
  }
}
