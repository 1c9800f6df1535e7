const windowMs = 60_000;
const maxTracked = 10_000;

interface Bucket {
  count: number;
  resetAtMs: number;
}

/** Counts events per name in windows of a minute. Bounded: past 10,000 names, ended windows and then the oldest are dropped. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Counts one event of a name. Answers with 0, or, past the limit, with the seconds until the window ends. */
  take(name: string, limit: number): number {
    const bucket = this.bucket(name);
    bucket.count += 1;
    return bucket.count <= limit ? 0 : this.secondsLeft(bucket);
  }

  /** The seconds until a name that has used up its limit may try again, else 0. Counts nothing. */
  blockedFor(name: string, limit: number): number {
    const bucket = this.buckets.get(name);
    if (!bucket || bucket.resetAtMs <= this.nowMs() || bucket.count < limit) return 0;
    return this.secondsLeft(bucket);
  }

  private bucket(name: string): Bucket {
    const now = this.nowMs();
    const known = this.buckets.get(name);
    if (known && known.resetAtMs > now) return known;
    this.buckets.delete(name);
    if (this.buckets.size >= maxTracked) this.makeRoom(now);
    const fresh = { count: 0, resetAtMs: now + windowMs };
    this.buckets.set(name, fresh);
    return fresh;
  }

  private makeRoom(now: number): void {
    for (const [name, bucket] of this.buckets) {
      if (bucket.resetAtMs > now && this.buckets.size < maxTracked) return; // insertion order is the order of the ends
      this.buckets.delete(name);
    }
  }

  private secondsLeft(bucket: Bucket): number {
    return Math.max(1, Math.ceil((bucket.resetAtMs - this.nowMs()) / 1_000));
  }
}
