import type { Cluster, Redis } from 'ioredis';
import { refuseForeignReplies } from './reply-shapes';
import { scripts } from './scripts';

type Arg = string | number | Buffer;

/** Our scripts as commands. */
interface ScriptCommands {
  cacheTok(keys: number, ...args: Arg[]): Promise<string[]>;
  cacheGetlBuffer(
    data: string,
    lease: string,
    token: string,
    leaseMs: number,
    seen: Buffer,
  ): Promise<[number, (Buffer | number)?]>;
  cacheFill(data: string, lease: string, token: string, entry: Buffer, ttlMs: number): Promise<number>;
  cacheRenew(lease: string, token: string, leaseMs: number): Promise<number>;
  cacheRel(lease: string, token: string): Promise<number>;
  cacheInv(keys: number, ...args: Arg[]): Promise<number>;
  cacheSetd(keys: number, ...args: Arg[]): Promise<number[]>;
  cacheLead(
    ...args: [...keys: LeadKeys, round: number, leaseMs: number, keepMs: number]
  ): Promise<[number, number?, (string | null)?]>;
  cacheKeep(
    lead: string,
    epochKey: string,
    progressKey: string,
    epoch: number,
    leaseMs: number,
    progress: string,
    keepMs: number,
  ): Promise<number>;
  cacheQuit(...args: [...keys: LeadKeys, epoch: number, round: number | '', keepMs: number]): Promise<number>;
  cacheRank(ranking: string, halved: string, ...args: Arg[]): Promise<number>;
  cachePost(
    board: string,
    instance: string,
    text: string,
    ttlMs: number,
    maxNotices: number,
  ): Promise<number>;
  cacheBoard(board: string, ttlMs: number): Promise<(string | number)[]>;
}

type LeadKeys = [lead: string, epoch: string, progress: string, round: string];

/** One connection that knows our scripts. */
export type RedisCommands = Redis & ScriptCommands;

/** The commands for keys that the store uses, on one connection or wherever in a Cluster the key is. */
export type KeyCommands = Pick<
  Redis,
  'getBuffer' | 'mgetBuffer' | 'get' | 'pttl' | 'set' | 'unlink' | 'touch' | 'zrevrange'
> &
  ScriptCommands;

/** Teaches a client our scripts. Sent by digest; after SCRIPT FLUSH or on a new server the client sends them whole again. */
export function withScripts<R extends Redis | Cluster>(redis: R): R & ScriptCommands {
  for (const [name, definition] of Object.entries(scripts)) {
    redis.defineCommand(`cache${name[0]!.toUpperCase()}${name.slice(1)}`, definition);
  }
  refuseForeignReplies(redis);
  return redis as R & ScriptCommands;
}
