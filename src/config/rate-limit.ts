import { Refusal, wholeNumber } from './setting';

/** Requests a minute, or `off` for no limit. */
export function rateLimit(value: unknown): number | 'off' | Refusal {
  if (value === 'off' || value === false) return 'off';
  const read = wholeNumber(10, 1_000_000)(value);
  return read instanceof Refusal ? new Refusal('must be off or a whole number from 10 to 1000000') : read;
}
