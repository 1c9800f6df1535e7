import type { Threshold } from './monitoring-config';

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
