import { parse, type ParsedUrlQuery } from 'node:querystring';

/**
 * A query with every parameter that is in it. Node's reader leaves out in silence what comes after a thousand pieces, empty ones
 * counted: `?&&&…dry_run=true` would be carried out for real. The limit of headers keeps it short enough.
 */
export function wholeQuery(text: string | null): ParsedUrlQuery {
  return parse(text ?? '', '&', '=', { maxKeys: 0 });
}
