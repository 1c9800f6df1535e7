import type { Redis } from 'ioredis';
import { refuseForeignReplies } from './reply-shapes';
import { scripts } from './scripts';

type Arg = string | number | Buffer;

/** The slice of a client that the store uses: a few commands of Redis, and our scripts as commands. */
export type RedisCommands = Redis & {
  cacheTok(keys: number, ...args: Arg[]): Promise<string[]>;
  cacheGetlBuffer(
    data: string,
    lease: string,
    token: string,
    leaseMs: number,
    seen: Buffer,
  ): Promise<[number, (Buffer | number)?]>;
  cacheFill(
    data: string,
    lease: string,
    token: string,
    head: Buffer,
    tail: Buffer,
    ttlMs: number,
  ): Promise<number>;
  cacheRenew(lease: string, token: string, leaseMs: number): Promise<number>;
  cacheRel(lease: string, token: string): Promise<number>;
  cacheInv(keys: number, ...args: Arg[]): Promise<number>;
  cacheSetd(
    ...args: [
      data: string,
      untracked: string,
      lease: string,
      keyToken: string,
      which: number,
      head: Buffer,
      tail: Buffer,
      ttlMs: number,
      deadlineMs: number,
      version: number,
    ]
  ): Promise<number>;
};

/** Teaches a client our scripts. Sent by digest; after SCRIPT FLUSH or on a new server the client sends them whole again. */
export function withScripts(redis: Redis): RedisCommands {
  for (const [name, definition] of Object.entries(scripts)) {
    redis.defineCommand(`cache${name[0]!.toUpperCase()}${name.slice(1)}`, definition);
  }
  refuseForeignReplies(redis);
  return redis as RedisCommands;
}
