import { Refusal } from './setting';

const hostName = /^(?:[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62})*\.?|\[[0-9a-f:.]+\])$/;
const maxNames = 100;

/** Reads a comma list, or a YAML list, of host names without ports; IPv6 addresses stand in brackets. In lower case. */
export function hostNames(value: unknown): readonly string[] | Refusal {
  const list: unknown[] = Array.isArray(value) ? value : String(value).split(',');
  const names = list.map(item => (typeof item === 'string' ? item.trim().toLowerCase() : ''));
  if (names.length <= maxNames && names.every(name => hostName.test(name))) return [...new Set(names)];
  return new Refusal(
    'must be a comma-separated list of host names without ports, such as api.example.com,[::1]',
  );
}
