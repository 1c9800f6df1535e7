import { keyedHeaderValue, type RoutedRequest } from '../http';
import type { CachedRoute } from './cached-routes';
import type { Repeatable } from './read-evidence';

/** A request of a route as it can be made again: what of it is in the key, and nothing else. */
export function repeatable(
  { rules }: CachedRoute,
  { params, query }: Pick<RoutedRequest, 'params' | 'query'>,
  requestHeaders: RoutedRequest['headers'],
): Repeatable {
  const asked: Record<string, string | readonly string[]> = {};
  for (const name of rules.query) {
    const value = query[name];
    if (value !== undefined) asked[name] = value as string | readonly string[];
  }
  const headers: Record<string, string> = {};
  for (const header of rules.headers) {
    const value = keyedHeaderValue(header, requestHeaders[header.name]);
    if (value !== undefined) headers[header.name] = value;
  }
  return { head: rules.head, request: { params: params as Record<string, string>, query: asked, headers } };
}
