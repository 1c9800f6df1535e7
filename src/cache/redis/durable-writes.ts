import type { Redis } from 'ioredis';
import type { Clock, Durability, TimerHandle } from '../core';
import { disconnect } from './disconnect';
import { withScripts, type RedisCommands } from './redis-commands';

/**
 * Writes that wait until replicas have confirmed them. WAIT asks about the writes of its own connection, and holds up
 * whatever comes after it there: so they have a connection of their own, and go one after the other.
 */
export class DurableWrites {
  #redis: RedisCommands | undefined;
  /** Resolves when everybody who has asked until now is through. */
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly connect: () => Redis,
    private readonly clock: Clock,
    /** The client gives a command up after so long; WAIT is asked again and again for less. */
    private readonly commandTimeoutMs: number,
  ) {}

  /**
   * Runs the writes and waits. False: written, but not confirmed by so many replicas in time. Undefined: nothing was
   * written, because others took all the time. @throws what the writes throw
   */
  async write(
    write: (redis: RedisCommands) => Promise<unknown>,
    { replicas, timeoutMs }: Durability,
  ): Promise<boolean | undefined> {
    const untilMs = this.clock.nowMs() + timeoutMs;
    const before = this.#last;
    let done!: () => void;
    this.#last = before.then(() => new Promise<void>(resolve => (done = resolve)));
    const itsTurn = before.then(() => true);
    let timer: TimerHandle | undefined;
    const patience = new Promise<boolean>(resolve => {
      timer = this.clock.schedule(timeoutMs, () => resolve(false));
    });
    const hasTurn = await Promise.race([itsTurn, patience]);
    timer?.cancel();
    try {
      if (!hasTurn) return undefined;
      const redis = await this.#connected(untilMs);
      if (!redis) return undefined;
      await write(redis);
      return await this.#confirmed(redis, replicas, untilMs);
    } finally {
      // Whoever comes next does not mind how this ended.
      void before.then(() => done());
    }
  }

  async close(): Promise<void> {
    if (this.#redis) await disconnect(this.#redis);
  }

  async #confirmed(redis: RedisCommands, replicas: number, untilMs: number): Promise<boolean> {
    const sliceMs = Math.max(1, Math.floor(this.commandTimeoutMs / 2));
    for (;;) {
      const leftMs = Math.ceil(untilMs - this.clock.nowMs());
      if (leftMs <= 0) return false;
      try {
        // The next one goes out in the same turn in which this is answered: never over a connection made since the write.
        if ((await redis.wait(replicas, Math.min(leftMs, sliceMs))) >= replicas) return true;
      } catch {
        // The connection or the command: it was written, and who has it nobody knows.
        return false;
      }
    }
  }

  /** Undefined when the connection does not come about in time. */
  async #connected(untilMs: number): Promise<RedisCommands | undefined> {
    const redis = (this.#redis ??= withScripts(this.connect()));
    if (redis.status === 'ready') return redis;
    let timer: TimerHandle | undefined;
    const late = new Promise<undefined>(resolve => {
      timer = this.clock.schedule(untilMs - this.clock.nowMs(), () => resolve(undefined));
    });
    const { promise, stop } = whenReady(redis);
    // It goes on trying by itself; what there was to wait for comes with `ready`, or too late.
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    const isReady = await Promise.race([promise, late]);
    timer?.cancel();
    stop();
    return isReady && redis;
  }
}

function whenReady(redis: Redis): { promise: Promise<true>; stop: () => void } {
  let listener!: () => void;
  const promise = new Promise<true>(resolve => {
    listener = () => resolve(true);
    redis.once('ready', listener);
  });
  return { promise, stop: () => redis.off('ready', listener) };
}
