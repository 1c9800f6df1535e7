import type { Threshold } from './monitoring-config';

/** A fault of reading is over sooner: a reader that does not answer is given up after seconds and started anew. */
const unreadSeconds = 600;

export type AlertDecision = 'raise' | 'clear' | undefined;

/**
 * What becomes of the alert of one resource: two states with hysteresis, as in a Schmitt trigger. `recent` are the latest
 * samples, the newest first, and all that the machine remembers: whichever instance of a host looks decides the same, and
 * so does one that has just started. With fewer samples than the threshold asks for, or one that is not known, nothing
 * changes. Without a threshold an open alert is cleared: nobody watches any more.
 */
export function decideAlert(
  isOpen: boolean,
  threshold: Threshold | null,
  recent: readonly (number | null)[],
): AlertDecision {
  if (!threshold) return isOpen ? 'clear' : undefined;
  const window = recent.slice(0, threshold.samples);
  if (window.length < threshold.samples) return undefined;
  const isPast = (value: number | null): boolean =>
    value !== null && (isOpen ? value <= threshold.clear : value >= threshold.raise);
  return window.every(isPast) ? (isOpen ? 'clear' : 'raise') : undefined;
}

/** A sample as the alert of one resource sees it. */
export interface SeenSample {
  /** Seconds since 1970. */
  readonly tick: number;
  readonly value: number | null;
}

/** How far back samples have to be looked at for `isGone`, in seconds; and how many there are at most, at one a second. */
export const unreadSpan = (samples: number, intervalSeconds: number): number =>
  2 * Math.max(unreadSeconds, samples * intervalSeconds);
export const maxUnread = 2 * unreadSeconds;

/**
 * Whether a resource is gone: in the latest samples, the newest first, it has had no value for as many as clearing takes, and for ten
 * minutes from first to last. Its open alert says nothing of now, and would stay open for ever.
 */
export function isGone(recent: readonly SeenSample[], samples: number): boolean {
  const known = recent.findIndex(({ value }) => value !== null);
  const unread = known === -1 ? recent : recent.slice(0, known);
  const [newest, oldest] = [unread[0], unread.at(-1)];
  return !!newest && !!oldest && unread.length >= samples && newest.tick - oldest.tick >= unreadSeconds;
}
