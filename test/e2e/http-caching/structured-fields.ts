/**
 * Strict parsers of the two grammars that we write: a list of items with parameters (RFC 8941 §3.1, §3.3), as `Cache-Status`
 * is (RFC 9211 §2), and the directives of `Cache-Control` (RFC 9111 §5.2). What is not in the grammar is an error.
 */
export type BareItem = number | boolean | { readonly token: string } | { readonly string: string };
export interface Item {
  readonly value: BareItem;
  readonly parameters: ReadonlyMap<string, BareItem>;
}

class Input {
  #at = 0;
  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.#at === this.text.length;
  }

  /** The match of a pattern here, consumed; undefined when there is none. */
  take(pattern: RegExp): string | undefined {
    const sticky = new RegExp(pattern, 'y');
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  need(pattern: RegExp, what: string): string {
    const match = this.take(pattern);
    if (match === undefined)
      throw new Error(`${what} expected at ${this.#at} of ${JSON.stringify(this.text)}`);
    return match;
  }
}

const ows = /[ \t]*/;

/** RFC 8941 §4.2.1. Inner lists and byte sequences are not written by us, and refused. */
export function parseList(text: string): Item[] {
  const input = new Input(text);
  const items: Item[] = [];
  input.take(/ */);
  while (!input.isAtEnd) {
    items.push(parseItem(input));
    input.take(ows);
    if (input.isAtEnd) return items;
    input.need(/,/, 'a comma');
    input.take(ows);
    if (input.isAtEnd) throw new Error(`a comma ends the list ${JSON.stringify(text)}`);
  }
  return items;
}

function parseItem(input: Input): Item {
  const value = parseBareItem(input);
  const parameters = new Map<string, BareItem>();
  while (input.take(/;/) !== undefined) {
    input.take(/ */);
    const key = input.need(/[a-z*][a-z0-9_\-.*]*/, 'a key');
    parameters.set(key, input.take(/=/) === undefined ? true : parseBareItem(input));
  }
  return { value, parameters };
}

function parseBareItem(input: Input): BareItem {
  const number = input.take(/-?\d{1,15}(?:\.\d{1,3})?/);
  if (number !== undefined) return Number(number);
  const quoted = input.take(/"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/);
  if (quoted !== undefined) return { string: quoted.slice(1, -1).replace(/\\(.)/g, '$1') };
  const boolean = input.take(/\?[01]/);
  if (boolean !== undefined) return boolean === '?1';
  return { token: input.need(/[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/, 'an item') };
}

/** What RFC 9211 §2 says of each parameter. */
const cacheStatusParameters: Readonly<Record<string, (value: BareItem) => boolean>> = {
  hit: value => typeof value === 'boolean',
  fwd: value =>
    typeof value === 'object' &&
    'token' in value &&
    ['bypass', 'method', 'uri-miss', 'vary-miss', 'miss', 'request', 'stale', 'partial'].includes(
      value.token,
    ),
  'fwd-status': value => Number.isInteger(value),
  ttl: value => Number.isInteger(value),
  stored: value => typeof value === 'boolean',
  collapsed: value => typeof value === 'boolean',
  key: value => typeof value === 'object' && 'string' in value,
  detail: value => typeof value === 'object',
};

/** The one member that we add. @throws Error when it breaks RFC 9211 */
export function parseCacheStatus(text: string): ReadonlyMap<string, BareItem> {
  const [item, ...others] = parseList(text);
  if (!item || others.length > 0) throw new Error(`one member expected in ${text}`);
  if (typeof item.value !== 'object') throw new Error(`the name of a cache is a string or a token: ${text}`);
  for (const [name, value] of item.parameters) {
    const isFine = cacheStatusParameters[name];
    if (!isFine?.(value)) throw new Error(`the parameter ${name} of ${text} is not that of RFC 9211`);
  }
  // §2.1, §2.2: never both; §2.5, §2.6: stored and collapsed only with fwd.
  const has = (name: string): boolean => item.parameters.has(name);
  if (has('hit') === has('fwd')) throw new Error(`either hit or fwd expected in ${text}`);
  if (!has('fwd') && (has('stored') || has('collapsed'))) throw new Error(`stored without fwd in ${text}`);
  return item.parameters;
}

const integerDirectives = new Set([
  'max-age',
  's-maxage',
  'stale-while-revalidate',
  'stale-if-error',
  'min-fresh',
]);
const plainDirectives = new Set([
  'public',
  'no-store',
  'must-revalidate',
  'no-transform',
  'private',
  'no-cache',
]);

/** RFC 9111 §5.2 and RFC 5861: each once, with the argument that it has. */
export function parseResponseDirectives(text: string): ReadonlyMap<string, number | true> {
  const input = new Input(text);
  const directives = new Map<string, number | true>();
  do {
    input.take(ows);
    const name = input.need(/[!#$%&'*+\-.^_`|~0-9A-Za-z]+/, 'a directive');
    if (directives.has(name)) throw new Error(`${name} is there twice in ${text}`);
    if (integerDirectives.has(name)) {
      input.need(/=/, 'an argument');
      directives.set(name, Number(input.need(/\d{1,10}/, 'seconds')));
    } else if (plainDirectives.has(name)) directives.set(name, true);
    else throw new Error(`${name} is no directive of a response: ${text}`);
    input.take(ows);
  } while (input.take(/,/) !== undefined);
  if (!input.isAtEnd) throw new Error(`more than directives in ${text}`);
  if (directives.has('public') && directives.has('private')) throw new Error(`public and private in ${text}`);
  if (directives.has('no-store') && directives.size > (directives.has('private') ? 2 : 1))
    throw new Error(`no-store beside a life in ${text}`);
  return directives;
}
