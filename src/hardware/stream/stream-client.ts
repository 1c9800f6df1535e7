import type { ServerResponse } from 'node:http';
import { commentText, eventText } from './server-sent-events';

/**
 * One client of the stream. It holds at most one event that the socket has not taken: until `drain` says that it has,
 * what would have been sent is skipped, counted and told with the next event.
 */
export class StreamClient {
  #isBlocked = false;
  #skipped = 0;
  /** When the next event is due: the first one at once. */
  #nextSecond = -Infinity;
  #wroteAtMs: number;

  constructor(
    private readonly response: ServerResponse,
    private readonly intervalSeconds: number,
    nowMs: number,
  ) {
    this.#wroteAtMs = nowMs;
  }

  /** Whether the socket has not taken what was written last. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether an event is due in this second; if so, the next one is an interval later. */
  takeTurn(second: number): boolean {
    if (second < this.#nextSecond) return false;
    const planned = this.#nextSecond + this.intervalSeconds;
    this.#nextSecond = planned > second ? planned : second + this.intervalSeconds;
    return true;
  }

  skip(): void {
    this.#skipped += 1;
  }

  send(text: string, nowMs: number): void {
    const told = this.#skipped > 0 ? eventText('skipped', { skipped: this.#skipped }) : '';
    this.#skipped = 0;
    this.#write(told + text, nowMs);
  }

  /** Writes a comment when nothing has been written for so long. */
  keepAlive(nowMs: number, quietMs: number): void {
    if (!this.#isBlocked && nowMs - this.#wroteAtMs >= quietMs) this.#write(commentText('heartbeat'), nowMs);
  }

  /** Whether the socket has taken nothing for so long. */
  hasStalled(nowMs: number, limitMs: number): boolean {
    return this.#isBlocked && nowMs - this.#wroteAtMs >= limitMs;
  }

  end(): void {
    this.response.end();
  }

  destroy(): void {
    this.response.destroy();
  }

  #write(text: string, nowMs: number): void {
    this.#wroteAtMs = nowMs;
    if (this.response.write(text)) return;
    this.#isBlocked = true;
    this.response.once('drain', () => (this.#isBlocked = false));
  }
}
