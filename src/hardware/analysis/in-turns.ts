import { setImmediate as nextTurn } from 'node:timers/promises';

/** What comes of each item, in a turn of the event loop for each: others are served in between. Null is left out. */
export async function inTurns<T, R>(items: readonly T[], work: (item: T) => R | null): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    await nextTurn();
    const result = work(item);
    if (result !== null) results.push(result);
  }
  return results;
}
