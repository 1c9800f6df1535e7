/** Of Unicode's properties those that no pattern without flags can have: halves of characters, and what other versions of it know. */
const leftOut: ReadonlySet<string> = new Set(['Cs', 'Cn', 'Co']);
const charactersOfPlane = 0x1_0000;
const isHalf = (character: number): boolean => character >= 0xd800 && character < 0xe000;

/**
 * A pattern as the `pattern` of a schema, which is read without flags (ECMA-262 5.1, and whatever the client's language has): the
 * properties of Unicode in classes of what is refused become ranges of characters. It refuses nothing that the pattern takes; what it
 * cannot say, of characters that UTF-16 has in two halves above all, is left to the description.
 */
export function documentedPattern(pattern: RegExp): string {
  return pattern.source.replaceAll(/\\p\{(\w+)\}/g, (_all, property: string) =>
    leftOut.has(property) ? '' : rangesOf(new RegExp(`\\p{${property}}`, 'u')),
  );
}

function rangesOf(one: RegExp): string {
  const ranges: [first: number, last: number][] = [];
  for (let character = 0; character < charactersOfPlane; character += 1) {
    if (isHalf(character) || !one.test(String.fromCharCode(character))) continue;
    const range = ranges.at(-1);
    if (range?.[1] === character - 1) range[1] = character;
    else ranges.push([character, character]);
  }
  return ranges
    .map(([first, last]) => (first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`))
    .join('');
}

function escaped(character: number): string {
  return `\\u${character.toString(16).padStart(4, '0')}`;
}
