import { bytes, duration, type Terminal } from './terminal';

/** What is shown of `GET /api/v1/cache/entries/{key}`. */
export interface Explanation {
  readonly key: string;
  readonly entries: readonly {
    readonly tier: string;
    readonly home: string;
    readonly served: boolean;
    readonly why: string | null;
    readonly age_ms: number;
    readonly fresh_ms: number;
    /** The fresh life included. */
    readonly stale_ms: number;
    readonly bytes: number;
    readonly depends_on: readonly {
      readonly kind: string;
      readonly name: string;
      readonly valid: boolean | null;
    }[];
  }[];
  readonly lease: { readonly here: boolean; readonly remaining_ms: number } | null;
  readonly loads_here: number;
  readonly pending_invalidation: boolean;
  /** Whether Redis could be asked. */
  readonly redis: boolean;
}

export function showExplanation(terminal: Terminal, explanation: Explanation): void {
  const { entries, redis } = explanation;
  if (entries.length === 0)
    terminal.title(
      `Nothing is stored under ${explanation.key}${redis ? '' : ' in the memory of this instance'}`,
    );
  if (!redis) terminal.line('Redis could not be asked: what is there, nobody can say');
  for (const entry of entries) {
    terminal.title(
      `${entry.tier === 'l1' ? 'Memory' : 'Redis'}: ${entry.served ? 'would be served' : `would not be served${entry.why === null ? '' : ` (${entry.why})`}`}`,
    );
    terminal.line(
      `  ${bytes(entry.bytes)}, ${duration(entry.age_ms)} old, ${lifeLeft(entry.fresh_ms, entry.stale_ms)}`,
    );
    for (const { kind, name, valid } of entry.depends_on)
      terminal.line(
        `  ${kind === 'namespace' ? kind : `${kind} ${name}`}: ${valid === null ? 'nobody can say' : valid ? 'valid' : 'invalidated'}`,
      );
  }
  const { lease } = explanation;
  if (lease)
    terminal.line(
      `It is being loaded ${lease.here ? 'by this instance' : 'by another instance'}, ${duration(lease.remaining_ms)} of the lease left`,
    );
  if (explanation.pending_invalidation) terminal.line('An invalidation of it waits for Redis');
}

function lifeLeft(freshMs: number, leftMs: number): string {
  if (leftMs <= 0) return 'its life is over';
  if (freshMs <= 0) return `stale for ${duration(leftMs)} more`;
  return `fresh for ${duration(freshMs)}, then ${leftMs > freshMs ? `stale for ${duration(leftMs - freshMs)}` : 'gone'}`;
}
