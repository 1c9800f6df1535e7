import type { Preset } from './presets';

/** How an instance is started. */
export interface InstanceSettings {
  readonly preset: Preset;
  readonly seed: number;
  /** Model seconds of the whole plan, and the part of it that is played. */
  readonly planSeconds: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Model seconds in a second. */
  readonly scale: number;
  readonly instance: number;
  readonly instances: number;
  /** Where what was read is written to. */
  readonly file: string;
}

export type ToInstance =
  | { readonly kind: 'play'; readonly startNs: string }
  | { readonly kind: 'fill' }
  | { readonly kind: 'warm' }
  | { readonly kind: 'origin'; readonly id: number; readonly version: number }
  | { readonly kind: 'stop' };

export type FromInstance =
  | { readonly kind: 'ready' }
  | { readonly kind: 'load'; readonly id: number; readonly of: number; readonly key: number }
  | { readonly kind: 'write'; readonly id: number; readonly of: number; readonly key: number }
  | {
      readonly kind: 'acknowledged';
      readonly of: number;
      readonly key: number;
      readonly version: number;
      readonly atMs: number;
    }
  | { readonly kind: 'played'; readonly reads: number }
  | { readonly kind: 'filled' }
  | { readonly kind: 'warmed'; readonly entries: number };

/** Numbers that are kept of each read, in this order. */
export const readFields = ['of', 'key', 'version', 'startMs', 'durationMs', 'lateMs', 'outcome'] as const;

/** Outcomes by their number in a read; the last is an error of the benchmark. */
export const readOutcomes = [
  ...['l1_hit', 'l2_hit', 'stale_hit', 'coalesced', 'negative_hit', 'miss', 'bypass', 'error', 'unknown'],
] as const;
export type ReadOutcome = (typeof readOutcomes)[number];
