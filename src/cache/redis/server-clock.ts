import type { Clock } from '../core';

/**
 * Redis server time, from samples taken with each heartbeat. Two bounds, because a trip takes time: the server said
 * `serverMs` some time between sending and receiving.
 */
export class ServerClock {
  #latest = NaN;
  #earliest = NaN;

  constructor(private readonly clock: Clock) {}

  sample(sentAtMs: number, receivedAtMs: number, serverMs: number): void {
    this.#latest = serverMs - sentAtMs;
    this.#earliest = serverMs - receivedAtMs;
  }

  /** Never earlier than the server's clock: ages come out too high rather than too low. */
  latestMs(nowMs = this.clock.nowMs()): number {
    return nowMs + this.#latest;
  }

  /** Never later than the server's clock: deadlines come out too early rather than too late. */
  earliestMs(): number {
    return this.clock.nowMs() + this.#earliest;
  }
}

/** The reply of TIME in milliseconds. */
export function timeReplyMs(reply: readonly (string | number)[]): number {
  return Number(reply[0]) * 1_000 + Math.floor(Number(reply[1]) / 1_000);
}
