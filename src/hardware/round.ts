/** Rounds to so many digits after the point; null and what is no number stay null. */
export function round(value: number | null | undefined, digits = 1): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

/** Part of a whole in percent, to one digit; null when there is no whole. */
export function percentOf(part: number, whole: number): number | null {
  return whole > 0 ? round((100 * part) / whole) : null;
}
