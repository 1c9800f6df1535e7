import { keyedHeaderValue, type KeyedHeader } from './header-values';
import { escapeText, joinKey, lengthPrefixed } from './key-text';

/** What of a request is in the key of a route. Path parameters always are. */
export interface RequestKeyRules {
  /** Readable name of the route, unique in the application: `agents:list`. */
  readonly head: string;
  /** Names of the query parameters that the route reads. */
  readonly query: readonly string[];
  readonly headers: readonly KeyedHeader[];
  /** Name of the host that this process runs on, for a route whose answers are about it. */
  readonly host?: string | undefined;
}

/** The routed request: decoded values, never the raw URL, of which many spellings name the same thing. */
export interface RoutedRequest {
  /** The route's template; given only for a handler that serves several, whose answer may depend on which. */
  readonly template?: string | undefined;
  /** Values from the host name, for controllers bound to a host pattern. */
  readonly hosts?: Readonly<Record<string, unknown>> | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** For whom the answer is; undefined when everybody gets the same. */
  readonly principalPart?: string | undefined;
}

/**
 * The key of a request (RFC 9111 §2, §4.1): head, template, host and path parameters (`:name=`), declared query with
 * all its values (`name=`), declared headers (`@name=`), the host of this process (`!host=`), principal (`!user=`). Names are sorted and every value has its length, so that two
 * different requests never share a key and two spellings of the same one do.
 *
 * @throws TypeError for a parameter that is neither a string nor a list of strings; `requestEligibility` sorts those out
 */
export function requestKey(rules: RequestKeyRules, request: RoutedRequest): string {
  const parts: string[] = [];
  if (request.template !== undefined) parts.push(`/${lengthPrefixed(request.template)}`);
  for (const [mark, values] of [
    ['//', request.hosts ?? {}],
    [':', request.params],
  ] as const) {
    for (const name of Object.keys(values).sort()) append(parts, mark, name, values[name]);
  }
  for (const name of [...rules.query].sort()) append(parts, '', name, request.query[name]);
  for (const header of [...rules.headers].sort((a, b) => (a.name < b.name ? -1 : 1)))
    append(parts, '@', header.name, keyedHeaderValue(header, request.headers[header.name]));
  if (rules.host !== undefined) parts.push(`!host=${lengthPrefixed(rules.host)}`);
  if (request.principalPart !== undefined) parts.push(request.principalPart);
  return joinKey(rules.head, parts);
}

/** Whether a value can stand in a key: absent, a string, or strings. */
export function isKeyValue(value: unknown): value is string | readonly string[] | undefined {
  return (
    value === undefined ||
    typeof value === 'string' ||
    (Array.isArray(value) && value.every(item => typeof item === 'string'))
  );
}

function append(parts: string[], mark: string, name: string, value: unknown): void {
  if (value === undefined) return;
  if (!isKeyValue(value))
    throw new TypeError(`the parameter ${name} is neither a string nor a list of strings`);
  const values = typeof value === 'string' ? [value] : value;
  parts.push(`${mark}${escapeText(name).replaceAll('=', '%3D')}=${values.map(lengthPrefixed).join(',')}`);
}
