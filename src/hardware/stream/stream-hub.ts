import type { ServerResponse } from 'node:http';
import type { Clock, TimerHandle } from '../../cache';
import { isOver, onceOver } from '../../http/connection-end';
import type { HardwareCountsService } from '../hardware-counts.service';
import { eventStreamType, retryText } from './server-sent-events';
import { StreamClient } from './stream-client';

const secondMs = 1_000;
/** A client that lost its connection comes back after so long. */
const retryMs = 3_000;
/** A stream on which nothing was said for so long gets a comment. */
export const heartbeatMs = 15_000;
/** A client whose socket takes nothing for so long loses its place. */
export const stallLimitMs = 60_000;

export interface StreamHubOptions {
  /** Places for clients. */
  readonly maxClients: number;
  readonly clock: Clock;
  readonly counts: HardwareCountsService['stream'];
  /** Reads the machine and answers with the text of one event. */
  readonly read: () => Promise<string>;
  /** A reading failed; the stream goes on with the next second. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sends readings of the machine to clients, each at its own interval. Once a second, while there are clients, it looks
 * who is due; one reading and one text serve all of them. A second that comes while a reading is under way is left out.
 */
export class StreamHub {
  readonly #clients = new Set<StreamClient>();
  #timer: TimerHandle | undefined;
  #turning: Promise<void> | undefined;
  /** When the seconds began: with the first client, which gets its first event at once. */
  #originMs = 0;
  #isClosed = false;

  constructor(private readonly options: StreamHubOptions) {}

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Makes the response a stream; false when there is no place. The response is untouched then, and also when its client has
   * left, which takes no place.
   */
  join(response: ServerResponse, intervalSeconds: number): boolean {
    const { clock, counts, maxClients } = this.options;
    if (isOver(response)) return true;
    if (this.#isClosed || this.#clients.size >= maxClients) {
      counts.refused += 1;
      return false;
    }
    response.writeHead(200, streamHeaders);
    const client = new StreamClient(response, intervalSeconds, clock.nowMs());
    this.#clients.add(client);
    counts.clients = this.#clients.size;
    onceOver(response, () => this.#leave(client));
    client.send(retryText(retryMs), clock.nowMs());
    if (!this.#timer && !this.#turning) {
      this.#originMs = clock.nowMs();
      this.#timer = clock.schedule(0, () => this.#turn());
    }
    return true;
  }

  /** Ends every stream, so that the server can close, and waits for a reading under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const client of this.#clients) client.end();
    await this.#turning;
  }

  #turn(): void {
    const { clock, onError } = this.options;
    this.#timer = undefined;
    const second = Math.round((clock.nowMs() - this.#originMs) / secondMs);
    this.#turning = this.#serve(second)
      .catch(onError)
      .finally(() => {
        this.#turning = undefined;
        if (this.#isClosed || this.#clients.size === 0) return;
        const waitMs = secondMs - ((clock.nowMs() - this.#originMs) % secondMs);
        this.#timer = clock.schedule(waitMs, () => this.#turn());
      });
  }

  async #serve(second: number): Promise<void> {
    const { clock, counts, read } = this.options;
    const ready: StreamClient[] = [];
    for (const client of this.#clients) {
      if (client.hasStalled(clock.nowMs(), stallLimitMs)) {
        counts.stalled += 1;
        client.destroy();
        this.#leave(client); // one that waits behind another answer would not close
      } else if (client.takeTurn(second)) {
        if (!client.isBlocked) ready.push(client);
        else {
          client.skip();
          counts.skipped += 1;
        }
      }
    }
    try {
      if (ready.length === 0) return;
      const text = await read();
      counts.readings += 1;
      for (const client of ready) {
        if (this.#isClosed || !this.#clients.has(client)) continue;
        client.send(text, clock.nowMs());
        counts.events += 1;
      }
    } finally {
      if (!this.#isClosed) for (const client of this.#clients) client.keepAlive(clock.nowMs(), heartbeatMs);
    }
  }

  #leave(client: StreamClient): void {
    this.#clients.delete(client);
    this.options.counts.clients = this.#clients.size;
    if (this.#clients.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** `X-Accel-Buffering` tells nginx not to collect what is meant to be seen at once. */
export const streamHeaders = Object.freeze({
  'Content-Type': eventStreamType,
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
});
