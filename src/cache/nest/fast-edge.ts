import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { mergedVary, storedHeaders, varyNames, type FastEdge } from '../http';

/** A middleware as the router holds it. */
export interface MiddlewareLayer {
  /** Name of the function; `''` for an anonymous one, and for one that a module applied. */
  readonly name: string;
  /** Where it is bound, as `/{*splat}`; undefined for the whole application. */
  readonly path: string | undefined;
  readonly handle: MiddlewareFunction;
}

export type MiddlewareFunction = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void;

/**
 * What the fast way does in place of a middleware:
 * - `skip`: nothing. It does nothing to a GET without a body, or nothing that an answer shows.
 * - `constant`: it puts the same header fields on every answer. It is run once, and the fields are copied.
 * - `run`: it is run, with Node's own request and response, which Express has not dressed up. It must go on.
 * - `skipIf`: it lets a request pass untouched when this says so; any other request takes the normal way.
 * - `fields`: it only sets these header fields, names and values in turn.
 */
export type MiddlewareTreatment =
  | 'skip'
  | 'constant'
  | 'run'
  | { readonly skipIf: (request: IncomingMessage) => boolean }
  | { readonly fields: (request: IncomingMessage) => readonly string[] };

/** Fields that an answer from the store has of its own, or has not at all. */
const ownFields: ReadonlySet<string> = new Set([
  ...storedHeaders,
  'etag',
  'cache-control',
  'cache-status',
  'age',
  'content-encoding',
  'content-length',
]);

/** Puts together what stands in front of a route. `always` are fields of the framework and of the route itself. */
export function edgeOf(
  treated: readonly (readonly [MiddlewareLayer, MiddlewareTreatment])[],
  always: readonly string[],
): FastEdge {
  const guards: ((request: IncomingMessage) => boolean)[] = [];
  const fields: FastEdge['fields'][number][] = [];
  const run: MiddlewareFunction[] = [];
  const all: string[] = [];
  for (const [layer, treatment] of treated) {
    if (treatment === 'constant') all.push(...fieldsSetBy(layer.handle));
    else if (treatment === 'run') run.push(layer.handle);
    else if (treatment === 'skip') continue;
    else if ('skipIf' in treatment) guards.push(treatment.skipIf);
    else fields.push(treatment.fields);
  }
  const byName = new Map<string, readonly [string, string]>();
  let vary: string | undefined;
  all.push(...always);
  for (let at = 0; at < all.length; at += 2) {
    const [field, value] = [all[at]!, all[at + 1]!];
    const name = field.toLowerCase();
    if (name === 'vary') vary = mergedVary(vary, varyNames(value));
    else if (!ownFields.has(name)) byName.set(name, [field, value]);
  }
  return {
    constant: Object.freeze([...byName.values()].flat()),
    vary,
    fields,
    run,
    allows: guards.length === 0 ? () => true : request => guards.every(guard => guard(request)),
  };
}

/** The fields that a middleware sets, found by running it once on a request of nobody. */
function fieldsSetBy(handle: MiddlewareFunction): string[] {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method: 'GET', url: '/', headers: { host: 'localhost' } });
  // Node has the method on every outgoing message; its types know it on requests alone.
  const response = new ServerResponse(request) as ServerResponse & { getRawHeaderNames(): string[] };
  let went = false;
  handle(request, response, () => (went = true));
  if (!went) throw new Error(`the middleware ${handle.name} does not go on at once`);
  return response.getRawHeaderNames().flatMap(name => [name, String(response.getHeader(name))]);
}

/**
 * Whether a response stands as the fast way would leave it before the stored fields are written: its names are known, and
 * what is said to be constant is. Where middleware runs, its names are not known beforehand.
 */
export function standsAs(edge: FastEdge, request: IncomingMessage, response: ServerResponse): boolean {
  const names = new Set<string>();
  for (let at = 0; at < edge.constant.length; at += 2) {
    const name = edge.constant[at]!.toLowerCase();
    names.add(name);
    if (String(response.getHeader(name)) !== edge.constant[at + 1]) return false;
  }
  if (edge.run.length > 0) return true;
  for (const fields of edge.fields)
    fields(request).forEach((field, at) => at % 2 === 0 && names.add(field.toLowerCase()));
  return response.getHeaderNames().every(name => names.has(name) || ownFields.has(name));
}
