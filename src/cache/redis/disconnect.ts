import type { Redis } from 'ioredis';

/**
 * Closes a connection for good and waits until it is closed. `quit` would reject when the server is away. A client
 * between two attempts has nothing to close and never says `end`.
 */
export function disconnect(redis: Redis): Promise<void> {
  const open = redis.status === 'ready' || redis.status === 'connect' || redis.status === 'connecting';
  const ended = open ? new Promise<void>(resolve => redis.once('end', () => resolve())) : Promise.resolve();
  if (redis.status !== 'end') redis.disconnect();
  return ended;
}
