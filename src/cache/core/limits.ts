import type { Clock } from './clock';
import { CacheDeadlineError } from './errors';

/** How long one caller waits. What he waits for goes on without him. */
export interface CallerLimits {
  key: string;
  /** In milliseconds; 0: as long as it takes. */
  deadlineMs: number;
  signal: AbortSignal | undefined;
  /** Called when he goes without an answer. */
  leave: () => void;
}

/**
 * The answer, unless this caller's deadline or signal comes first.
 * @throws CacheDeadlineError; the signal's reason; whatever the answer rejects with
 */
export function withinLimits<R>(clock: Clock, limits: CallerLimits, answer: Promise<R>): Promise<R> {
  const { key, deadlineMs, signal, leave } = limits;
  return raced(clock, answer, deadlineMs, signal, (_resolve, reject, reason) => {
    leave();
    reject(reason ?? new CacheDeadlineError(key, deadlineMs));
  });
}

/** What comes of `hoped` if it comes in time; undefined when it does not, or fails. Rejects with the signal's reason alone. */
export function withinPatience<R>(
  clock: Clock,
  patienceMs: number,
  signal: AbortSignal | undefined,
  hoped: Promise<R>,
): Promise<R | undefined> {
  // Who waits here has something else to answer with; whoever runs the load reports its failure.
  const orNothing = hoped.then(
    value => value,
    () => undefined,
  );
  return raced<R | undefined>(clock, orNothing, patienceMs, signal, (resolve, reject, reason) => {
    if (reason === undefined) resolve(undefined);
    else reject(reason);
  });
}

/** Settles as `answer` does, or by `late` when the time is up (without a reason) or the signal aborts (with its reason). */
function raced<R>(
  clock: Clock,
  answer: Promise<R>,
  afterMs: number,
  signal: AbortSignal | undefined,
  late: (resolve: (value: R) => void, reject: (reason: Error) => void, reason?: Error) => void,
): Promise<R> {
  if (!signal && afterMs === 0) return answer;
  return new Promise<R>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const abort = (): void => finish(() => late(resolve, reject, signal!.reason as Error));
    const timer =
      afterMs === 0 ? undefined : clock.schedule(afterMs, () => finish(() => late(resolve, reject)));
    // First of all: also an answer that nobody waits for any more may be a rejection that somebody has to take.
    answer.then(
      value => finish(() => resolve(value)),
      (error: Error) => finish(() => reject(error)),
    );
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
