import { Redis } from 'ioredis';

/** A plain client of the private server, for contenders that are one, and for looking. */
export async function plainClient(redis: string): Promise<Redis> {
  const client = new Redis({ path: redis, lazyConnect: true, disableClientInfo: true });
  await client.connect();
  return client;
}

/** What a cache sends with each heartbeat, whether or not anybody reads. */
const ofHeartbeats = new Set(['time', 'pexpire', 'touch', 'ping', 'info', 'config|resetstat']);

/** Commands that the server has done, without those of heartbeats. */
export async function commandsOf(client: Redis): Promise<number> {
  const lines = (await client.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  let count = 0;
  for (const [, name, calls] of lines) if (!ofHeartbeats.has(name!)) count += Number(calls);
  return count;
}

/** Microseconds that the server's process has worked. */
export async function serverCpuUs(client: Redis): Promise<number> {
  const text = await client.info('cpu');
  const of = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  return (of('used_cpu_sys') + of('used_cpu_user')) * 1_000_000;
}
