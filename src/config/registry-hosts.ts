import { Refusal } from './setting';

const host = /^[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62})*(?::\d{1,5})?$/;
const maxHosts = 100;

/** Reads a comma list, or a YAML list, of hosts with their ports where they have one; the word `off` is an empty list. In lower case. */
export function registryHosts(value: unknown): readonly string[] | Refusal {
  if (value === 'off' || value === false) return [];
  const list: unknown[] = Array.isArray(value) ? value : String(value).split(',');
  const hosts = list.map(item => (typeof item === 'string' ? item.trim().toLowerCase() : ''));
  if (hosts.length <= maxHosts && hosts.every(each => host.test(each))) return [...new Set(hosts)];
  return new Refusal(
    'must be off or a comma-separated list of hosts, such as hf.co,registry.example.com:5000',
  );
}
