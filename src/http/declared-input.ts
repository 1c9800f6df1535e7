import type { ExecutionContext, PipeTransform, Type } from '@nestjs/common';
import { GUARDS_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { allowsAnyInput } from './any-input.decorator';
import { checkBody, checkQuery } from './input-shape';
import { refuseUnknown } from './unknown-fields';

/** A whole query, as a handler takes it. */
export interface DeclaredQuery {
  readonly metatype: Type | undefined;
  readonly pipes: readonly (PipeTransform | Type<PipeTransform>)[];
}

/** What a route takes of a request, as its decorators say. */
export interface DeclaredInput {
  /** Nothing is refused for not being declared. */
  readonly allowsAny: boolean;
  /** Guards of its own decide who may come in. */
  readonly isGuarded: boolean;
  readonly queries: readonly DeclaredQuery[];
  /** Names of single parameters of the query. */
  readonly parameters: ReadonlySet<string>;
  readonly hasBody: boolean;
}

/** What the framework has noted of a parameter of a handler. */
interface Argument {
  readonly index: number;
  readonly data?: string;
  readonly pipes: DeclaredQuery['pipes'];
}

const known = new WeakMap<object, DeclaredInput>();

/** What the route that is asked declares; read once for each. */
export function declaredInputOf(context: Pick<ExecutionContext, 'getClass' | 'getHandler'>): DeclaredInput {
  const handler = context.getHandler();
  let declared = known.get(handler);
  if (!declared) known.set(handler, (declared = readDeclared(context.getClass(), handler)));
  return declared;
}

/**
 * Refuses what comes in a query that nobody reads: it would be a way past the cache, and a misspelt name would be answered as if it
 * had been understood. A query that is taken as a whole is left to its class.
 *
 * @throws ProblemException 400
 */
export function refuseUndeclaredQuery(query: unknown, declared: DeclaredInput): void {
  if (declared.allowsAny || declared.queries.length > 0) return;
  checkQuery(query);
  refuseUnknown(Object.keys(query ?? {}).filter(name => !declared.parameters.has(name)));
}

/**
 * Refuses a body that has something in it where none is taken; `{}` says as little as no body does.
 *
 * @throws ProblemException 400
 */
export function refuseUndeclaredBody(body: unknown, declared: DeclaredInput): void {
  if (declared.allowsAny || declared.hasBody || body === undefined) return;
  checkBody(body);
  refuseUnknown(Object.keys(body));
}

function readDeclared(controller: Type, handler: object & { readonly name: string }): DeclaredInput {
  const places = [controller, handler];
  const args = Object.entries(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) as
      Record<string, Argument> | undefined) ?? {},
  );
  const of = (kind: RouteParamtypes): Argument[] =>
    args.flatMap(([key, argument]) => (key.startsWith(`${kind}:`) ? [argument] : []));
  const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler.name) as
    Type[] | undefined;
  const query = of(RouteParamtypes.QUERY);
  return {
    allowsAny: places.some(allowsAnyInput),
    isGuarded: places.some(place => Reflect.hasMetadata(GUARDS_METADATA, place)),
    queries: query
      .filter(({ data }) => data === undefined)
      .map(({ index, pipes }) => ({ metatype: types?.[index], pipes })),
    parameters: new Set(query.flatMap(({ data }) => data ?? [])),
    hasBody: of(RouteParamtypes.BODY).length > 0,
  };
}
