import { Refusal } from './setting';

export type RedisAddress = { host: string; port: number };

/** What `REDIS_URL` leads to. User and password are those of the Redis servers. */
export type RedisTarget =
  | { kind: 'single'; url: string }
  | { kind: 'sentinel'; sentinels: RedisAddress[]; name: string; user?: string; password?: string }
  | { kind: 'cluster'; seeds: RedisAddress[]; user?: string; password?: string };

const many = /^redis\+(sentinel|cluster):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)(\/[^?#]*)?$/;
const host = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::(\d{1,5}))?$/;
const sentinelPort = 26_379;
const redisPort = 6_379;

/** What `REDIS_URL` may say. */
export function redisUrl(value: unknown): string | Refusal {
  const rule =
    'must be redis://[user:password@]host[:port][/db], rediss://… for TLS, redis+sentinel://[user:password@]host:port,…/master, redis+cluster://[user:password@]host:port,…, or off';
  if (typeof value !== 'string') return new Refusal(rule);
  if (value === 'off') return value;
  if (value.startsWith('redis+')) return redisTarget(value) ? value : new Refusal(rule);
  if (!URL.canParse(value)) return new Refusal(rule);
  const { protocol, hostname, pathname } = new URL(value);
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '') return new Refusal(rule);
  return /^\/?\d{0,3}$/.test(pathname) ? value : new Refusal(rule);
}

/** Takes a `REDIS_URL` apart; undefined when it names a Sentinel or a Cluster and is not well formed. */
export function redisTarget(url: string): RedisTarget | undefined {
  if (!url.startsWith('redis+')) return { kind: 'single', url };
  const [, kind, user, password, hosts, path = ''] = many.exec(url) ?? [];
  if (kind === undefined || hosts === undefined) return undefined;
  const addresses = hosts
    .split(',')
    .map(text => addressOf(text, kind === 'sentinel' ? sentinelPort : redisPort));
  if (!addresses.every(address => address !== undefined)) return undefined;
  const login = loginOf(user, password);
  if (!login) return undefined;
  if (kind === 'cluster') {
    return path === '' || path === '/' ? { kind, seeds: addresses, ...login } : undefined;
  }
  const name = path.slice(1);
  return /^[0-9A-Za-z._-]+$/.test(name)
    ? { kind: 'sentinel', sentinels: addresses, name, ...login }
    : undefined;
}

function addressOf(text: string, defaultPort: number): RedisAddress | undefined {
  const [, name, port] = host.exec(text) ?? [];
  if (name === undefined) return undefined;
  const number = port === undefined ? defaultPort : Number(port);
  return number > 0 && number < 65_536 ? { host: name.replace(/^\[|\]$/g, ''), port: number } : undefined;
}

/** As in URLs in general, percent-encoded where a character would end it. */
function loginOf(user?: string, password?: string): { user?: string; password?: string } | undefined {
  try {
    return {
      ...(user && { user: decodeURIComponent(user) }),
      ...(password && { password: decodeURIComponent(password) }),
    };
  } catch {
    // Not percent-encoding at all: the address is refused, without repeating it.
    return undefined;
  }
}
