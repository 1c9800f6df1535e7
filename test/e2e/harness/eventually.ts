import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats a check until it passes; after `limitMs` its last failure is the test's. For what another process does in its own time. */
export async function eventually<T>(check: () => Promise<T> | T, limitMs = 10_000, everyMs = 20): Promise<T> {
  for (const deadline = performance.now() + limitMs; ; await sleep(everyMs)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
