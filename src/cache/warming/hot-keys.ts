import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { TieredCache } from '../core';
import { CACHE_MODULE_OPTIONS, type CacheModuleOptions } from '../nest/cache.module-definition';
import { ReadEvidence } from '../nest/read-evidence';
import { SpaceSaving } from './space-saving';
import { warmingOptions } from './warming-options';

/** Reads remembered for each policy, here and in Redis. */
const keptPerPolicy = 256;
/** Policies of routes and methods have few names; more than so many are not followed. */
const maxPolicies = 100;
const persistEveryMs = 30_000;
/** A read counts half after so long. */
const halfLifeMs = 30 * 60_000;
/** Longer than a weekend without a deployment, and without readers. */
const forgottenAfterMs = 7 * 86_400_000;

/** A read that is made often. */
export interface HotRead {
  readonly policy: string;
  readonly member: string;
  /** Reads, those of long ago counting less. */
  readonly score: number;
}

interface Followed {
  /** What this instance has seen. */
  readonly seen: SpaceSaving;
  /** What of it the other instances have not been told. */
  readonly untold: SpaceSaving;
}

/**
 * What users read most, policy by policy: seen here, added up in Redis for all instances, and there after a deployment. When
 * Redis has lost it, what this instance has seen is still known.
 */
@Injectable()
export class HotKeys implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #policies = new Map<string, Followed>();
  readonly #keep: number;
  #persisting: NodeJS.Timeout | undefined;
  #halveAtMs = performance.now() + halfLifeMs;

  constructor(
    private readonly cache: TieredCache,
    evidence: ReadEvidence,
    @Inject(CACHE_MODULE_OPTIONS) options: CacheModuleOptions,
  ) {
    this.#keep = warmingOptions(options.warming).hotKeys;
    if (this.isOn) evidence.listen((policy, member, weight) => this.saw(policy, member, weight));
  }

  get isOn(): boolean {
    return this.#keep > 0;
  }

  onApplicationBootstrap(): void {
    if (!this.isOn) return;
    this.#persisting = setInterval(() => void this.persist(), persistEveryMs);
    this.#persisting.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#persisting);
    await this.persist();
  }

  private saw(policy: string, member: string, weight: number): void {
    let followed = this.#policies.get(policy);
    if (!followed) {
      if (this.#policies.size >= maxPolicies) return;
      followed = { seen: new SpaceSaving(keptPerPolicy), untold: new SpaceSaving(keptPerPolicy) };
      this.#policies.set(policy, followed);
    }
    followed.seen.add(member, weight);
    followed.untold.add(member, weight);
  }

  /** Tells the other instances what was seen since the last time. What could not be told is told with the next. */
  async persist(): Promise<void> {
    if (performance.now() >= this.#halveAtMs) {
      this.#halveAtMs += halfLifeMs;
      for (const { seen } of this.#policies.values()) seen.halve();
    }
    const bounds = { keep: keptPerPolicy, halfLifeMs, ttlMs: forgottenAfterMs };
    for (const [policy, { untold }] of this.#policies) {
      const scores = untold.entries();
      if (scores.length === 0) continue;
      untold.clear();
      const told = await this.cache.cluster.addScores(policy, scores, bounds);
      if (!told) for (const [member, weight] of scores) untold.add(member, weight);
    }
  }

  /** All reads under some policies that users are known to make, here or anywhere. */
  async known(policies: readonly string[]): Promise<ReadonlySet<string>> {
    await this.persist();
    const members = new Set<string>();
    for (const policy of policies) {
      for (const [member] of this.#policies.get(policy)?.seen.entries() ?? []) members.add(member);
      for (const [member] of await this.cache.cluster.topScores(policy, keptPerPolicy)) members.add(member);
    }
    return members;
  }

  /** The reads that are made most, of each of these policies up to `warming.hotKeys`, the most frequent of all first. */
  async hottest(policies: readonly string[]): Promise<HotRead[]> {
    if (!this.isOn) return [];
    await this.persist();
    const all: HotRead[] = [];
    for (const policy of policies) {
      const scores = new Map(this.#policies.get(policy)?.seen.entries());
      for (const [member, score] of await this.cache.cluster.topScores(policy, keptPerPolicy))
        scores.set(member, Math.max(score, scores.get(member) ?? 0));
      const hot = [...scores].sort(([, a], [, b]) => b - a).slice(0, this.#keep);
      all.push(...hot.map(([member, score]) => ({ policy, member, score })));
    }
    return all.sort((a, b) => b.score - a.score);
  }
}
