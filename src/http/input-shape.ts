import { maxItems, maxPathCharacters, ProblemException, type ProblemItem } from './problem.exception';

/**
 * A parameter given twice, or with brackets, is refused: readers along the way may disagree which one counts.
 *
 * @throws ProblemException 400
 */
export function checkQuery(query: unknown): void {
  const items: ProblemItem[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    const path = name.slice(0, maxPathCharacters);
    if (/[[\]]/.test(name))
      items.push({ path, code: 'QUERY_INVALID', message: 'a parameter is a plain name' });
    else if (typeof value !== 'string')
      items.push({ path, code: 'QUERY_DUPLICATE', message: 'a parameter is given once' });
  }
  const first = items[0];
  if (first)
    throw new ProblemException(
      400,
      first.code,
      'Invalid query',
      `${first.path}: ${first.message}`,
      items.slice(0, maxItems),
    );
}

/** @throws ProblemException 400 unless a body is a JSON object */
export function checkBody(body: unknown): asserts body is object {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bodyInvalid();
}

export function bodyInvalid(): ProblemException {
  return new ProblemException(400, 'BODY_INVALID', 'Invalid body', 'The body must be a JSON object.', [
    { path: '$', code: 'BODY_INVALID', message: 'must be a JSON object' },
  ]);
}
