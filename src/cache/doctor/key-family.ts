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
      best = { name, values: values.size, keysWithout: without.size };
  }
  return best;
}
