import { ProblemException } from '../http/problem.exception';

const windowMs = 60_000;
const defaultMaxTracked = 10_000;

interface Bucket {
  count: number;
  resetAtMs: number;
}

/** Counts events per name in windows of a minute. Bounded: past 10,000 names, ended windows and then the oldest are dropped. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();
  private droppedCount = 0;

  constructor(
    private readonly nowMs: () => number = () => performance.now(),
    private readonly maxTracked = defaultMaxTracked,
  ) {}

  /** Names that are counted now. */
  get tracked(): number {
    return this.buckets.size;
  }

  /** Names that were dropped for room although their window had not ended: somebody has more addresses than there is room for. */
  get dropped(): number {
    return this.droppedCount;
  }

  /** Counts one event of a name. Answers with 0, or, past the limit, with the seconds until the window ends. */
  take(name: string, limit: number): number {
    const bucket = this.bucket(name);
    bucket.count += 1;
    return bucket.count <= limit ? 0 : this.secondsLeft(bucket);
  }

  private bucket(name: string): Bucket {
    const now = this.nowMs();
    const known = this.buckets.get(name);
    if (known && known.resetAtMs > now) return known;
    this.buckets.delete(name);
    if (this.buckets.size >= this.maxTracked) this.makeRoom(now);
    const fresh = { count: 0, resetAtMs: now + windowMs };
    this.buckets.set(name, fresh);
    return fresh;
  }

  private makeRoom(now: number): void {
    for (const [name, bucket] of this.buckets) {
      const isOver = bucket.resetAtMs <= now;
      if (!isOver && this.buckets.size < this.maxTracked) return; // insertion order is the order of the ends
      if (!isOver) this.droppedCount += 1;
      this.buckets.delete(name);
    }
  }

  private secondsLeft(bucket: Bucket): number {
    return Math.max(1, Math.ceil((bucket.resetAtMs - this.nowMs()) / 1_000));
  }
}

/**
 * What a request is told that is over the limit; nothing for 0 seconds.
 * @throws ProblemException 429
 */
export function refuseFor(seconds: number): void {
  if (seconds <= 0) return;
  throw new ProblemException(
    429,
    'RATE_LIMITED',
    'Too many requests',
    `Try again in ${seconds} s.`,
    undefined,
    {
      'Retry-After': String(seconds),
    },
  );
}
