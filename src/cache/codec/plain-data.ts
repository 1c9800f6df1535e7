/** Deeper than this nobody looks. */
const maxDepth = 512;

/** Whether a value is made of primitives, arrays and plain objects alone, and so can be frozen as a whole. */
export function isPlainData(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  if (depth > maxDepth) return false;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) if (!isPlainData(value[at], depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const name in value)
    if (!isPlainData((value as Record<string, unknown>)[name], depth + 1)) return false;
  return true;
}
