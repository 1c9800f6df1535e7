import type { LoadScope } from './load-scope';
import type { NearEntry } from './near-cache';
import type { AnswerSource, MissCause, Outcome } from './outcomes';
import type { CacheParts } from './parts';
import type { CachePolicy } from './policy';
import type { FoundEntry } from './single-flight';

/** An answer, and how it came about. Durations are milliseconds. */
export interface CacheAnswer<T> {
  /** Plain data deep-frozen; anything else decoded for this caller. */
  value: T;
  outcome: Outcome;
  /** Why there was no fresh entry; for a miss. */
  cause: MissCause | undefined;
  source: AnswerSource | undefined;
  /** Since the value was stored; 0 for one just loaded. */
  ageMs: number;
  /** Fresh life left; negative when stale. */
  freshMs: number;
  /** Stale window left after the fresh life. */
  staleMs: number;
  /** Whether the cache holds the value now. */
  stored: boolean;
}

/** How an answer came about, as far as it is counted. */
export interface How {
  outcome: Outcome;
  cause?: MissCause;
  source: AnswerSource | undefined;
  stored: boolean;
  refreshing?: boolean;
}

/** Whose read is answered: everything that is counted by. */
export interface Reading {
  readonly key: string;
  readonly policy: CachePolicy;
  readonly scope: LoadScope | undefined;
}

/** Counts reads where they are answered, tells of them, and puts the answers together. */
export class Answers {
  constructor(private readonly parts: CacheParts) {}

  /** What L1 has answered. Whatever is added here, every hit pays for. */
  countNear(
    key: string,
    policy: CachePolicy,
    scope: LoadScope | undefined,
    entry: NearEntry,
    nowMs: number,
    refreshing: boolean,
  ): Outcome {
    const { events, profile, stats } = this.parts;
    const outcome = foundOutcome(entry, 'l1', nowMs);
    if (scope === undefined || scope.purpose === 'request') {
      stats.hit(policy.name, outcome, nowMs);
      if (outcome === 'stale_hit') stats.stale(policy.name, nowMs - entry.staleAtMs);
      if (entry.probe !== undefined) profile.hit(entry.probe, outcome, nowMs, entry.bornAtMs);
    }
    if (events.heard('read'))
      this.tell({ key, policy, scope }, { outcome, source: 'l1', stored: true, refreshing });
    return outcome;
  }

  /** A hit of L1 that was counted already, for whoever wants to know more than the value. */
  ofNear(entry: NearEntry): CacheAnswer<unknown> {
    const nowMs = this.parts.clock.coarseMs();
    return nearAnswer(entry, foundOutcome(entry, 'l1', nowMs), nowMs);
  }

  /** An entry that a look or a flight has found. */
  found(
    reading: Reading,
    entry: FoundEntry,
    source: 'l1' | 'l2',
    nowMs: number,
    refreshing: boolean,
  ): CacheAnswer<unknown> {
    const outcome = foundOutcome(entry, source, nowMs);
    return this.entry(reading, entry, {
      outcome: entry.elsewhere && outcome !== 'stale_hit' ? 'coalesced' : outcome,
      source,
      stored: true,
      refreshing,
    });
  }

  /** An entry, found or loaded. */
  entry(reading: Reading, entry: FoundEntry, how: How): CacheAnswer<unknown> {
    // First: one that cannot be decoded is an error and no hit.
    const value = entry.held.read();
    this.count(reading, how, how.source === 'load' ? undefined : entry.bornAtMs);
    const nowMs = this.parts.clock.coarseMs();
    if (how.outcome === 'stale_hit' && isOfUser(reading))
      this.parts.stats.stale(reading.policy.name, Math.max(0, nowMs - entry.staleAtMs));
    return {
      value,
      outcome: how.outcome,
      cause: how.cause,
      source: how.source,
      ageMs: Math.max(0, nowMs - entry.bornAtMs),
      freshMs: entry.staleAtMs - nowMs,
      staleMs: entry.expiresAtMs - entry.staleAtMs,
      stored: how.stored,
    };
  }

  /** Nothing was found, or a load was for its own caller alone. */
  nothing(reading: Reading, cause: MissCause, value: unknown, loaded: boolean): CacheAnswer<unknown> {
    const how = { outcome: 'miss', cause, source: undefined, stored: false } as const;
    this.count(reading, how);
    return { ...how, value, source: loaded ? 'load' : undefined, ageMs: 0, freshMs: 0, staleMs: 0 };
  }

  /** A caller who gets an error is counted, too. */
  error(reading: Reading): void {
    this.count(reading, { outcome: 'error', source: undefined, stored: false });
  }

  /** @param bornAtMs of what was found */
  count(reading: Reading, how: How, bornAtMs?: number): void {
    if (isOfUser(reading)) {
      this.parts.stats.read(reading.policy.name, how.outcome, how.cause);
      this.parts.profile.read(reading.key, reading.policy, how.outcome, how.cause, bornAtMs);
    }
    this.tell(reading, how);
  }

  tell({ key, policy, scope }: Reading, how: How): void {
    const { events } = this.parts;
    if (!events.heard('read')) return;
    events.emit('read', {
      key,
      policy: policy.name,
      outcome: how.outcome,
      cause: how.cause,
      source: how.source,
      stored: how.stored,
      refreshing: how.refreshing ?? false,
      purpose: scope?.purpose ?? 'request',
    });
  }
}

function isOfUser({ scope }: Reading): boolean {
  return scope === undefined || scope.purpose === 'request';
}

export function nearAnswer(entry: NearEntry, outcome: Outcome, nowMs: number): CacheAnswer<unknown> {
  return {
    value: entry.held.read(),
    outcome,
    cause: undefined,
    source: 'l1',
    ageMs: Math.max(0, nowMs - entry.bornAtMs),
    freshMs: entry.staleAtMs - nowMs,
    staleMs: entry.expiresAtMs - entry.staleAtMs,
    stored: true,
  };
}

function foundOutcome(entry: FoundEntry | NearEntry, source: 'l1' | 'l2', nowMs: number): Outcome {
  if (nowMs >= entry.staleAtMs) return 'stale_hit';
  if (entry.negative) return 'negative_hit';
  return source === 'l1' ? 'l1_hit' : 'l2_hit';
}
