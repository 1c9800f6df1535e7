import { Transform } from 'class-transformer';
import { ProblemException } from '../http/problem.exception';

/** What a cursor looks like: base64url, as long as the longest name needs. */
export const cursorPattern = /^[A-Za-z0-9_-]{1,600}$/;

/** The place after an agent in the list, as text that clients pass back unread. */
export function cursorAfter(name: string): string {
  return Buffer.from(JSON.stringify([name])).toString('base64url');
}

/**
 * The name that a cursor stands for.
 * @throws ProblemException 400 when it is not one of ours
 */
export function nameOfCursor(cursor: string): string {
  const name = decode(cursor);
  if (name !== undefined && cursorAfter(name) === cursor) return name;
  const message = 'must be the next_cursor of an answer';
  throw new ProblemException(400, 'CURSOR_INVALID', 'Invalid cursor', `cursor: ${message}`, [
    { path: 'cursor', code: 'CURSOR_INVALID', message },
  ]);
}

/** Refuses a cursor that is not ours where the query is read, before anything is asked for it. */
export function ReadsCursor(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => {
    if (typeof value === 'string' && cursorPattern.test(value)) nameOfCursor(value);
    return value;
  });
}

function decode(cursor: string): string | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^\["[^\0]*"\]$/.test(text)) return undefined;
  try {
    const [name] = JSON.parse(text) as [unknown];
    return typeof name === 'string' && !name.includes('\0') ? name : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
