const maxCharacters = 64;
const unprintable = /[^\x20-\x7e]|\\/gu;

/**
 * A name given from outside as it may stand in a record: everything that is not printable ASCII is escaped (`\u{a}`), so
 * that it can neither break a line nor reorder a terminal, and past 64 characters it is cut.
 */
export function shownName(name: string): string {
  // Cut first: nobody should have to escape a megabyte for 64 characters of it.
  const escaped = name
    .slice(0, maxCharacters + 1)
    .replace(unprintable, character =>
      character === '\\' ? '\\\\' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
  const isWhole = escaped.length <= maxCharacters && name.length <= maxCharacters;
  return isWhole ? escaped : `${escaped.slice(0, maxCharacters - 3)}...`;
}
