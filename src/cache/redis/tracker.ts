import type { Redis } from 'ioredis';
import type { Clock, CoherenceListener, Gate, GateStatus } from '../core';
import { Canaries } from './canaries';
import { disconnect } from './disconnect';
import type { RedisKeys } from './redis-keys';

const channel = '__redis__:invalidate';

export interface TrackerOptions {
  redis: Redis;
  keys: RedisKeys;
  /** Distinguishes the canaries of this instance. */
  instance: string;
  /** The hash tag of the canaries: its slot is one of this node's. Empty where there are no slots. */
  hashTag: () => string;
  clock: Clock;
  listener: CoherenceListener;
  maxL1StalenessMs: number;
}

/** A canary to be written at once. `refused`: the server has said no, so it will never be heard. */
export interface Canary {
  key: string;
  written(): void;
  refused(): void;
}

/**
 * Hears from one Redis node what changes there: server-assisted client tracking in broadcast mode, on one connection that
 * redirects to itself, so that it cannot half-fail (with two, either one can be replaced while the other looks healthy,
 * and tracking is silently off).
 *
 * The gate says whether what was heard can be relied on. With each heartbeat a canary is written over another
 * connection; when it is heard here, everything written before it has been heard. Without a canary for Δ the gate is
 * shut, whatever the reason: a stalled process, a dead socket, tracking switched off. When canaries are written and none
 * comes back, that is said aloud, because nothing else would show it.
 */
export class Tracker implements Gate {
  readonly #canaries: Canaries;
  /** When the canaries under way were written, for the lag. */
  readonly #writtenAtMs = new Map<string, number>();
  #armed = false;
  #watermarkMs = -Infinity;
  /** Since when canaries could have been heard and none was. */
  #silentSinceMs: number | undefined;
  #lagMs: number | null = null;
  #failure: string | undefined;
  #refusal: string | undefined;
  #closed = false;
  #armings = 0;

  constructor(private readonly options: TrackerOptions) {
    const { redis, keys, instance, hashTag } = options;
    this.#canaries = new Canaries(canary => keys.canary(instance, canary, hashTag()));
    redis.on('ready', () => void this.#arm());
    redis.on('close', () => this.#disarm());
    redis.on('messageBuffer', (name: Buffer, message: unknown) => {
      if (name.toString() === channel) this.#hear(message);
    });
  }

  open(): void {
    if (this.options.redis.status === 'ready') return void this.#arm();
    if (this.options.redis.status !== 'wait') return;
    // The client goes on trying by itself; `ready` will tell.
    this.options.redis.connect().catch((error: unknown) => (this.#refusal = refusalOf(error)));
  }

  isOpen(nowMs: number): boolean {
    return nowMs - this.#watermarkMs <= this.options.maxL1StalenessMs;
  }

  status(): GateStatus {
    const nowMs = this.options.clock.nowMs();
    return {
      open: this.isOpen(nowMs),
      ageMs: this.#watermarkMs === -Infinity ? null : nowMs - this.#watermarkMs,
      lagMs: this.#lagMs,
      armings: this.#armings,
      ...(this.#failure !== undefined && { reason: this.#failure }),
    };
  }

  /** A canary that stands for everything written before `sentAtMs`; undefined while nobody would hear it. */
  nextCanary(sentAtMs: number): Canary | undefined {
    if (!this.#armed) return undefined;
    const key = this.#canaries.next(sentAtMs);
    return {
      key,
      written: () => this.#writtenAtMs.set(key, this.options.clock.nowMs()),
      refused: () => this.#canaries.refused(key),
    };
  }

  /**
   * To be asked after a heartbeat that the server has answered. When none was heard for Δ, the connection is dead however
   * healthy it looks, or tracking is off, refused or unknown there.
   */
  checkHearing(): void {
    const { clock, maxL1StalenessMs } = this.options;
    const nowMs = clock.nowMs();
    this.#silentSinceMs ??= nowMs;
    const heardAtMs = Math.max(this.#watermarkMs, this.#silentSinceMs);
    if (nowMs - heardAtMs <= maxL1StalenessMs) return;
    this.#say(this.#refusal ?? `no canary received within ${maxL1StalenessMs} ms`);
    if (this.#armed) this.restart();
  }

  /** The server does not answer, so silence says nothing about tracking. */
  excuse(): void {
    this.#silentSinceMs = undefined;
  }

  /** Takes new canaries: their slot belongs to another node now. */
  renewCanaries(): void {
    this.#canaries.renew();
    this.#writtenAtMs.clear();
  }

  /** Shuts the gate and connects anew, to whatever server is there now. */
  restart(): void {
    this.#disarm();
    if (!this.#closed && this.options.redis.status === 'ready') this.options.redis.disconnect(true);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#armed = false;
    this.#watermarkMs = -Infinity;
    return disconnect(this.options.redis);
  }

  async #arm(): Promise<void> {
    const { redis, keys, instance, listener } = this.options;
    try {
      const id = await redis.client('ID');
      const prefixes = keys.trackedPrefixes(instance).flatMap(prefix => ['PREFIX', prefix]);
      await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes);
      // Last: from here on this connection takes no other commands.
      await redis.subscribe(channel);
      if (this.#closed) return;
      // What changed between the loss of the connection and now was not heard.
      listener.flush('armed');
      this.#refusal = undefined;
      this.#armings += 1;
      this.#silentSinceMs = undefined;
      this.renewCanaries();
      this.#armed = true;
    } catch (error) {
      this.#refusal = refusalOf(error);
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
    const { keys, listener, instance } = this.options;
    const meaning = keys.meaningOf(redisKey);
    if (meaning?.kind === 'key') return listener.keyChanged(meaning.encoded);
    if (meaning?.kind === 'token') return listener.tokenChanged(meaning.token);
    if (redisKey.startsWith(keys.canaryPrefix(instance))) this.#hearCanary(redisKey);
  }

  #hearCanary(key: string): void {
    const { clock, listener } = this.options;
    const sentAtMs = this.#canaries.heard(key);
    if (sentAtMs === undefined) return;
    this.#lagMs = clock.nowMs() - (this.#writtenAtMs.get(key) ?? sentAtMs);
    this.#writtenAtMs.delete(key);
    this.#watermarkMs = Math.max(this.#watermarkMs, sentAtMs);
    this.#silentSinceMs = undefined;
    this.#say(undefined);
    listener.canaryHeard?.(this.#lagMs);
  }

  /** Once for each change. */
  #say(failure: string | undefined): void {
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.options.listener.trackingFailed?.(failure);
  }
}

/** What the server has against it, without arguments of commands; undefined when it was the connection. */
function refusalOf(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  const code = /^(NOPERM|NOAUTH|WRONGPASS|ERR|DENIED)\b/.exec(message)?.[0];
  if (code === undefined) return undefined;
  const what = /'(client\|\w+|subscribe|client)'/i.exec(message)?.[1];
  return `tracking refused, so no canary received: ${code}${what === undefined ? '' : ` for ${what.toLowerCase()}`}`;
}
