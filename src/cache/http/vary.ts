/** `Vary` (RFC 9110 §12.5.5). */
type HeaderText = number | string | readonly string[] | undefined;

/** The names in a `Vary`, in lower case. */
export function varyNames(value: HeaderText): readonly string[] {
  if (value === undefined) return [];
  return String(value)
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}

/** A `Vary` with further names, each once; undefined when there is none to write. `*` stands alone. */
export function mergedVary(value: HeaderText, names: readonly string[]): string | undefined {
  const known = varyNames(value);
  if (known.includes('*')) return '*';
  const added = names.filter(name => !known.includes(name.toLowerCase()));
  const written = value === undefined ? [] : [String(value)];
  return [...written, ...added].join(', ') || undefined;
}
