/** A part of a key: `limit`, `:id`, `@accept-language`, `!user` of a route; `argument 1` of a method; `part 2` of others. */
export interface KeyPart {
  readonly name: string;
  readonly text: string;
}

/**
 * The family of a key: the head of a route or method (`agents:list|limit=1:5` → `agents:list`); of a key that code has made
 * by hand, what stands before its last colon (`model:llama` → `model:*`).
 */
export function familyOf(key: string, heads: ReadonlySet<string>): string {
  const bar = key.indexOf('|');
  if (bar >= 0) return key.slice(0, bar);
  if (heads.has(key)) return key;
  const colon = key.lastIndexOf(':');
  return colon > 0 ? `${key.slice(0, colon)}:*` : key;
}

/** Keys that code has made by hand, and that have a family each: so many of one shape are one family. */
const minScattered = 50;

/**
 * Families by key, where what varies stands in the middle (`report:17:summary`): by `familyOf` each of them is alone. Those of one
 * shape, with the same first part and as many, become `report:*:summary`.
 */
export function gathered(keys: readonly { readonly key: string; readonly head: string }[]): string[] {
  const members = new Map<string, number>();
  for (const { head } of keys) members.set(head, (members.get(head) ?? 0) + 1);
  const shapes = new Map<string, string[]>();
  const shapeOf = (key: string): string => {
    const parts = key.split(':');
    return `${parts.length} ${parts[0]!}`;
  };
  const isScattered = ({ key, head }: { key: string; head: string }): boolean =>
    members.get(head) === 1 && head.endsWith(':*') && !key.includes('|');
  for (const each of keys) {
    if (!isScattered(each)) continue;
    const shape = shapes.get(shapeOf(each.key));
    if (shape) shape.push(each.key);
    else shapes.set(shapeOf(each.key), [each.key]);
  }
  const heads = new Map<string, string>();
  for (const [shape, alike] of shapes) if (alike.length >= minScattered) heads.set(shape, patternOf(alike));
  return keys.map(each => (isScattered(each) && heads.get(shapeOf(each.key))) || each.head);
}

/** The parts in which all keys agree, and `*` for the others. */
function patternOf(keys: readonly string[]): string {
  const [first, ...others] = keys.map(key => key.split(':'));
  return first!.map((part, at) => (others.every(parts => parts[at] === part) ? part : '*')).join(':');
}

/** What tells the keys of a family apart. */
export function partsOf(key: string): KeyPart[] {
  const [, ...parts] = key.split('|');
  if (!key.includes('|')) return key.split(':').map((text, at) => ({ name: `part ${at + 1}`, text }));
  return parts.map((text, at) => {
    const named = /^([:@!/]*[A-Za-z_][^=:]*)=/.exec(text);
    return { name: named ? named[1]! : `argument ${at + 1}`, text };
  });
}

export interface VaryingPart {
  readonly name: string;
  /** Different values of it. */
  readonly values: number;
  /** Keys that there would be without it. */
  readonly keysWithout: number;
  /** Most values look as if they were made for the request: a time, a UUID, a long hexadecimal number. */
  readonly looksMadeUp: boolean;
}

const madeUp =
  /^(?:\d{10,17}|\d{4}-\d\d-\d\dT\d.*|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|[\da-f]{16,})$/i;

/** `ts=13:1712000000000` has the value `1712000000000`. */
function looksMadeUp(text: string): boolean {
  return madeUp.test(text.replace(/^[^=]*=(?:\d+:)?/, ''));
}

/** The part of some keys without which there would be the fewest; undefined where they have none. */
export function varyingPart(keys: readonly string[]): VaryingPart | undefined {
  const split = keys.map(partsOf);
  const names = new Set(split.flatMap(parts => parts.map(({ name }) => name)));
  let best: VaryingPart | undefined;
  for (const name of names) {
    const values = new Set<string>();
    const without = new Set<string>();
    for (const parts of split) {
      values.add(parts.find(part => part.name === name)?.text ?? '');
      without.add(
        parts
          .filter(part => part.name !== name)
          .map(part => `${part.name}=${part.text}`)
          .join('|'),
      );
    }
    if (!best || without.size < best.keysWithout)
      best = {
        name,
        values: values.size,
        keysWithout: without.size,
        looksMadeUp: [...values].filter(looksMadeUp).length > values.size / 2,
      };
  }
  return best;
}
