import { maxItems, maxPathCharacters, ProblemException, type ProblemItem } from './problem.exception';

/** What is said of a field or a parameter that is not there. */
export function unknownField(path: string): ProblemItem {
  const message = 'is not a field of this request';
  return { path: path.slice(0, maxPathCharacters), code: 'UNKNOWN_FIELD', message };
}

/** @throws ProblemException 400 UNKNOWN_FIELD naming them, when there are any */
export function refuseUnknown(paths: readonly string[]): void {
  if (paths.length === 0) return;
  const items = paths.slice(0, maxItems).map(unknownField);
  const detail = items.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ProblemException(400, 'UNKNOWN_FIELD', 'Unknown field', detail, items);
}

/**
 * Paths of the names in plain data that every object has: `toString`, `__proto__` and the like, at every depth, also where the
 * names are the caller's. No class has such a field, and neither the framework nor class-transformer would let one be seen: they
 * leave these names out in silence, before anything is asked whether it is a field. (class-transformer leaves out the names of a
 * class's own methods too, which is why no DTO has one.)
 */
export function namesOfEveryObject(value: unknown, parent = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => namesOfEveryObject(item, `${parent}[${index}]`));
  return Object.entries(value).flatMap(([name, child]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    return name in Object.prototype || name === 'prototype' ? [path] : namesOfEveryObject(child, path);
  });
}
