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

/**
 * Samples in a row without a value after which an open alert is cleared: it says nothing of now, and a resource that has gone for good
 * would leave it open for ever. As many as clearing takes, and from first to last ten minutes.
 */
export function unreadSamples({ samples }: Threshold, intervalSeconds: number): number {
  return Math.max(samples, Math.ceil(unreadSeconds / intervalSeconds) + 1);
}
