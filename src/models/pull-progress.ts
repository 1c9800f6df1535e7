import type { OllamaPullLine } from './ollama-shapes';

/** How far a pull is, in one step of it. */
export interface PullProgress {
  /** In the provider's words: `pulling manifest`, `pulling 6a0746a1ec1a`, `verifying sha256 digest`, `success`. */
  readonly status: string;
  /** The layer that the step is about. */
  readonly digest: string | null;
  /** Bytes of that layer. */
  readonly total: number | null;
  /** Bytes of it that are there. */
  readonly completed: number | null;
}

/** The first step: until it is over, nobody knows whether there is such a model. */
const manifestStep = 'pulling manifest';

/** What a line of the provider says; undefined when it says nothing of progress. */
export function progressOf({ status, digest, total, completed }: OllamaPullLine): PullProgress | undefined {
  if (!status) return undefined;
  // The first lines about a layer have no `completed`.
  const layer = total ?? null;
  return {
    status,
    digest: digest ?? null,
    total: layer,
    completed: completed ?? (layer === null ? null : 0),
  };
}

/** Whether the model has been found. */
export function isPastManifest({ status }: PullProgress): boolean {
  return status !== manifestStep;
}

/** Share of its layer that is there, in percent to one digit; null where there is no layer to measure. */
export function percentOf({ status, total, completed }: PullProgress): number | null {
  if (status === 'success') return 100;
  if (total === null || completed === null || total === 0) return null;
  return Math.min(100, Number(((100 * completed) / total).toFixed(1)));
}
