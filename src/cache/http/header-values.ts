/** Request headers that choose among representations, and what a route makes of them (RFC 9110 §12). */

/** A request header that a route reads, and that is in its key. */
export interface KeyedHeader {
  /** In lower case. */
  readonly name: string;
  /**
   * The values that the route tells apart, the default first. The key and the handler then see one of them instead of what
   * was sent, so that a thousand spellings of `Accept-Language` make as many entries as there are languages.
   */
  readonly oneOf: readonly string[] | undefined;
}

type HeaderText = string | readonly string[] | undefined;

/** What of a header's value is in the key: one of the values that the route knows, or the text as one line. */
export function keyedHeaderValue({ name, oneOf }: KeyedHeader, value: HeaderText): string | undefined {
  if (oneOf) return chosenOf(oneOf, value, name === 'accept-language');
  if (value === undefined) return undefined;
  // One line, single spaces (§5.2, §5.3).
  return (typeof value === 'string' ? value : value.join(', ')).trim().replace(/\s+/g, ' ');
}

/** The best of the supported values for a weighted list; the first one when none is asked for. */
function chosenOf(supported: readonly string[], value: HeaderText, asLanguage: boolean): string {
  const fallback = supported[0]!;
  for (const { item, weight } of weightedItems(value)) {
    if (weight === 0) continue;
    if (item === '*' || item === '*/*') return fallback;
    // A language range is shortened from the end until it fits (RFC 4647 §3.4).
    for (let range = item; range !== ''; range = asLanguage ? range.replace(/(?:^|-)[^-]*$/, '') : '') {
      const match = supported.find(each => each.toLowerCase() === range);
      if (match !== undefined) return match;
    }
  }
  return fallback;
}

export interface WeightedItem {
  /** In lower case, without parameters. */
  readonly item: string;
  /** From 0 to 1. */
  readonly weight: number;
}

/** The items of a list with quality values (§12.4.2), the best first; those of one weight in their order. */
export function weightedItems(value: HeaderText): readonly WeightedItem[] {
  if (value === undefined) return [];
  const items: WeightedItem[] = [];
  for (const part of (typeof value === 'string' ? value : value.join(',')).split(',')) {
    const [item = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase());
    if (item === '') continue;
    const quality = parameters.find(parameter => /^q\s*=/.test(parameter));
    // A weight that is none makes an item unwanted: nobody can have meant it as the best.
    const weight =
      quality === undefined ? 1 : Number(/^q\s*=\s*([01](?:\.\d{0,3})?)$/.exec(quality)?.[1] ?? 0);
    items.push({ item, weight: Math.min(weight, 1) });
  }
  return items.sort((a, b) => b.weight - a.weight);
}
