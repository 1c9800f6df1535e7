import type { Redis } from 'ioredis';
import type { Clock, Coherence, CoherenceListener, Gate, GateStatus } from '../core';
import { disconnect } from './disconnect';
import type { RedisKeys } from './redis-keys';

const canaries = 8;
const channel = '__redis__:invalidate';

export interface TrackerOptions {
  redis: Redis;
  keys: RedisKeys;
  /** Distinguishes the canaries of this instance. */
  instance: string;
  clock: Clock;
  listener: CoherenceListener;
  maxL1StalenessMs: number;
}

/**
 * Hears from Redis itself what changes: server-assisted client tracking in broadcast mode, on one connection that
 * redirects to itself, so that it cannot half-fail (with two, either one can be replaced while the other looks healthy,
 * and tracking is silently off).
 *
 * The gate says whether what was heard can be relied on. With each heartbeat a canary is written over the data
 * connection; when it is heard here, everything written before it has been heard. Without a canary for Δ the gate is
 * shut, whatever the reason: a stalled process, a dead socket, tracking switched off.
 */
export class Tracker implements Coherence, Gate {
  readonly #sentAtMs: number[] = Array<number>(canaries).fill(NaN);
  #next = 0;
  #armed = false;
  #watermarkMs = -Infinity;
  #armedAtMs = 0;
  #lagMs: number | null = null;
  #closed = false;
  /** Attempts to arm that failed, and why the last one did. */
  armFailures = 0;
  lastArmError: unknown;

  constructor(private readonly options: TrackerOptions) {
    const { redis } = options;
    redis.on('ready', () => void this.#arm());
    redis.on('close', () => this.#disarm());
    redis.on('messageBuffer', (name: Buffer, message: unknown) => {
      if (name.toString() === channel) this.#hear(message);
    });
  }

  open(): void {
    if (this.options.redis.status === 'ready') return void this.#arm();
    if (this.options.redis.status !== 'wait') return;
    this.options.redis.connect().catch((error: unknown) => {
      // The client goes on trying by itself; `ready` will tell.
      this.armFailures += 1;
      this.lastArmError = error;
    });
  }

  isOpen(nowMs: number): boolean {
    return nowMs - this.#watermarkMs <= this.options.maxL1StalenessMs;
  }

  gateOf(): Gate {
    return this;
  }

  status(): GateStatus {
    const nowMs = this.options.clock.nowMs();
    return {
      open: this.isOpen(nowMs),
      ageMs: this.#watermarkMs === -Infinity ? null : nowMs - this.#watermarkMs,
      lagMs: this.#lagMs,
    };
  }

  /** The key of the next canary, to be written at once; undefined while nobody would hear it. */
  nextCanary(): string | undefined {
    if (!this.#armed) return undefined;
    this.#next = (this.#next + 1) % canaries;
    // Each has its own time: two that are heard as one message must not count as the later one.
    this.#sentAtMs[this.#next] = this.options.clock.nowMs();
    return this.options.keys.canary(this.options.instance, this.#next);
  }

  /** Canaries are written and none is heard: the connection is dead however healthy it looks. */
  checkHearing(): void {
    const heardAtMs = Math.max(this.#watermarkMs, this.#armedAtMs);
    if (this.#armed && this.options.clock.nowMs() - heardAtMs > this.options.maxL1StalenessMs) {
      this.#disarm();
      this.options.redis.disconnect(true);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#armed = false;
    this.#watermarkMs = -Infinity;
    return disconnect(this.options.redis);
  }

  async #arm(): Promise<void> {
    const { redis, keys, instance, clock, listener } = this.options;
    try {
      const id = await redis.client('ID');
      const prefixes = keys.trackedPrefixes(instance).flatMap(prefix => ['PREFIX', prefix]);
      await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes);
      // Last: from here on this connection takes no other commands.
      await redis.subscribe(channel);
      if (this.#closed) return;
      // What changed between the loss of the connection and now was not heard.
      listener.flush('armed');
      this.#armedAtMs = clock.nowMs();
      this.#sentAtMs.fill(NaN);
      this.#armed = true;
    } catch (error) {
      this.armFailures += 1;
      this.lastArmError = error;
      if (!this.#closed) redis.disconnect(true);
    }
  }

  #disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#watermarkMs = -Infinity;
    if (!this.#closed) this.options.listener.flush('disconnected');
  }

  /** An array of keys, or null for FLUSHALL, FLUSHDB and DEBUG RELOAD. */
  #hear(message: unknown): void {
    if (!this.#armed) return;
    if (message === null) return this.options.listener.flush('server_flushed');
    if (!Array.isArray(message)) return;
    for (const key of message as Buffer[]) this.#hearKey(key.toString('latin1'));
  }

  #hearKey(redisKey: string): void {
    const { keys, listener, instance, clock } = this.options;
    const meaning = keys.meaningOf(redisKey);
    if (meaning?.kind === 'key') return listener.keyChanged(meaning.encoded);
    if (meaning?.kind === 'token') return listener.tokenChanged(meaning.token);
    const prefix = keys.canaryPrefix(instance);
    if (!redisKey.startsWith(prefix)) return;
    const sentAtMs = this.#sentAtMs[Number(redisKey.slice(prefix.length))];
    if (sentAtMs === undefined || Number.isNaN(sentAtMs)) return;
    this.#lagMs = clock.nowMs() - sentAtMs;
    this.#watermarkMs = Math.max(this.#watermarkMs, sentAtMs);
  }
}
