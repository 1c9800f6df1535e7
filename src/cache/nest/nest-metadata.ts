import 'reflect-metadata';
import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';

/**
 * What Nest itself has noted down about a handler. The names of its metadata are not among its public exports, so they
 * stand here, in one place; the test takes them from real decorators.
 */
const names = {
  path: 'path',
  method: 'method',
  version: '__version__',
  host: 'host',
  arguments: '__routeArguments__',
  passthrough: '__responsePassthrough__',
  sse: '__sse__',
  redirect: '__redirect__',
  render: '__renderTemplate__',
  guards: '__guards__',
  headers: '__headers__',
} as const;

/** Parameter types of `@Res()` and `@Next()` in the metadata of route arguments. */
const responseArgument = '1';
const nextArgument = '2';

type Handler = object;

export function isRoute(handler: Handler): boolean {
  return Reflect.hasMetadata(names.path, handler) && Reflect.hasMetadata(names.method, handler);
}

export function requestMethodOf(handler: Handler): RequestMethod {
  return (Reflect.getMetadata(names.method, handler) as RequestMethod | undefined) ?? RequestMethod.GET;
}

/** Whether one handler may serve several templates, whose answers may differ. */
export function servesSeveralTemplates(controller: Handler, handler: Handler): boolean {
  return [
    Reflect.getMetadata(names.path, handler),
    Reflect.getMetadata(names.path, controller),
    Reflect.getMetadata(names.version, handler),
    Reflect.getMetadata(names.version, controller),
  ].some(value => Array.isArray(value) && value.length > 1);
}

/** Whether a route is there for some versions of the application alone. `defaultVersion` counts where it names none. */
export function isVersioned(controller: Handler, handler: Handler, defaultVersion: unknown): boolean {
  const given: unknown =
    Reflect.getMetadata(names.version, handler) ??
    Reflect.getMetadata(names.version, controller) ??
    defaultVersion;
  const versions = Array.isArray(given) ? (given as unknown[]) : [given];
  return given !== undefined && !versions.includes(VERSION_NEUTRAL);
}

export function isBoundToHost(controller: Handler): boolean {
  return Reflect.getMetadata(names.host, controller) !== undefined;
}

/** Whether guards stand at a route, or at its whole controller. Those of the application are not among them. */
export function hasGuards(controller: Handler, handler: Handler): boolean {
  return [controller, handler].some(
    place => ((Reflect.getMetadata(names.guards, place) as unknown[] | undefined) ?? []).length > 0,
  );
}

/** What `@Header()` puts on every answer of a route; a function is asked anew for each. */
export function headersOf(handler: Handler): readonly { name: string; value: string | (() => string) }[] {
  return (
    (Reflect.getMetadata(names.headers, handler) as
      { name: string; value: string | (() => string) }[] | undefined) ?? []
  );
}

/** Why a route answers in a way that cannot be stored, whatever its policy; undefined when it answers with a value. */
export function ownWayOfAnswering(
  controller: Handler,
  methodName: string,
  handler: Handler,
): string | undefined {
  if (Reflect.hasMetadata(names.sse, handler)) return 'a stream of server-sent events';
  if (Reflect.hasMetadata(names.redirect, handler)) return 'a redirect';
  if (Reflect.hasMetadata(names.render, handler)) return 'a rendered template';
  const args = Object.keys(
    (Reflect.getMetadata(names.arguments, controller, methodName) as object | undefined) ?? {},
  );
  const own = args.some(argument => [responseArgument, nextArgument].includes(argument.split(':')[0]!));
  if (own && Reflect.getMetadata(names.passthrough, controller, methodName) !== true)
    return 'its own use of @Res() or @Next()';
  return undefined;
}
