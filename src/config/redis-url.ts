import { Refusal } from './setting';

/** What `REDIS_URL` may say. Sentinel and Cluster addresses are read, and refused at the start, because this version speaks to a single Redis. */
export function redisUrl(value: unknown): string | Refusal {
  const rule = 'must be redis://[user:password@]host[:port][/db], rediss://… for TLS, or off';
  if (typeof value !== 'string') return new Refusal(rule);
  if (value === 'off') return value;
  const many = /^redis\+(sentinel|cluster):\/\//.exec(value);
  if (many) {
    const kind = many[1] === 'sentinel' ? 'Sentinel' : 'Cluster';
    return new Refusal(
      `names a Redis ${kind}; this version supports a single Redis (redis://host:port) only`,
    );
  }
  if (!URL.canParse(value)) return new Refusal(rule);
  const { protocol, hostname, pathname } = new URL(value);
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '') return new Refusal(rule);
  return /^\/?\d{0,3}$/.test(pathname) ? value : new Refusal(rule);
}
