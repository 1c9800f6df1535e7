import { notWorthCaching, warmedUnread } from './cost-advice';
import {
  hitsOf,
  readsOf,
  sum,
  type Advice,
  type DoctorFacts,
  type Family,
  type SampledKey,
} from './diagnosis';
import { narrowerKey, narrowerTags } from './key-advice';
import { gathered } from './key-family';
import { lifeReport, longerLife, staleWindow, type LifeReport } from './life-advice';
import { notesOf } from './notes';
import { moreRedisMemory, moreRoom, redisAway } from './room-advice';

/** Families told of, those that are read most. */
const maxFamilies = 50;

/** What the sample tells of a route, method or family of keys. Counts are of sampled keys. */
export interface FamilyReport {
  readonly head: string;
  readonly policy: string;
  /** Keys, scaled up. */
  readonly keys: number;
  readonly ttlMs: number;
  readonly reads: number;
  readonly hitRate: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly causes: Readonly<Record<string, number>>;
  readonly life: LifeReport;
}

export interface Diagnosis {
  /** What would help, the largest gain first. */
  readonly advice: readonly Advice[];
  readonly families: readonly FamilyReport[];
  /** Shares of reads that L1 would answer with so many entries. */
  readonly sizes: readonly { readonly entries: number; readonly hitRate: number }[];
  readonly notes: readonly string[];
}

/** Finds out where hits and misses come from, and what would help. Pure: the same facts give the same advice. */
export function diagnose(facts: DoctorFacts): Diagnosis {
  const families = familiesOf(facts.keys);
  const advice: (Advice | undefined)[] = [
    moreRoom(facts),
    moreRedisMemory(facts),
    redisAway(facts),
    ...warmedUnread(facts),
  ];
  const explained = new Set<string>();
  for (const family of families) {
    const narrower = narrowerKey(family, facts.rate);
    if (narrower) explained.add(family.policy);
    advice.push(narrower, narrowerTags(family));
    // Keys that never come back are not helped by a longer life.
    if (!narrower) advice.push(longerLife(family), staleWindow(family));
  }
  for (const [name, counters] of Object.entries(facts.statistics.policies))
    if (!explained.has(name)) advice.push(notWorthCaching(name, counters));
  return {
    advice: advice.filter(each => each !== undefined).sort((a, b) => gainOf(b) - gainOf(a)),
    families: families.slice(0, maxFamilies).map(family => familyReport(family, facts.rate)),
    sizes: sizesOf(facts),
    notes: notesOf(facts),
  };
}

function familiesOf(keys: readonly SampledKey[]): Family[] {
  const families = new Map<string, SampledKey[]>();
  // What was only warmed is no read, and its key one that nobody has asked for.
  const read = keys.filter(({ outcomes }) => readsOf(outcomes) > 0);
  const heads = gathered(read);
  for (const [at, sampled] of read.entries()) {
    const key = { ...sampled, head: heads[at]! };
    const name = `${key.policy}\n${key.ttlMs}\n${key.head}`;
    const family = families.get(name);
    if (family) family.push(key);
    else families.set(name, [key]);
  }
  return [...families.values()]
    .map((members): Family => {
      const { head, policy, ttlMs, staleMs } = members[0]!;
      return {
        head,
        policy,
        ttlMs,
        staleMs,
        keys: members,
        reads: sum(members.map(each => readsOf(each.outcomes))),
      };
    })
    .sort((a, b) => b.reads - a.reads);
}

function familyReport(family: Family, rate: number): FamilyReport {
  const { head, policy, ttlMs, keys, reads } = family;
  return {
    head,
    policy,
    ttlMs,
    keys: Math.round(keys.length / rate),
    reads: Math.round(reads),
    hitRate: reads === 0 ? 0 : sum(keys.map(({ outcomes }) => hitsOf(outcomes))) / reads,
    outcomes: added(keys.map(({ outcomes }) => outcomes)),
    causes: added(keys.map(({ causes }) => causes)),
    life: lifeReport(family),
  };
}

function sizesOf({ hitShareOfSize, l1MaxEntries }: DoctorFacts): { entries: number; hitRate: number }[] {
  return [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].flatMap(factor => {
    const entries = Math.round(l1MaxEntries * factor);
    const hitRate = hitShareOfSize(entries);
    return hitRate === undefined ? [] : [{ entries, hitRate }];
  });
}

/** Keys are counted in thousands of a point: rates come first. */
function gainOf({ prediction }: Advice): number {
  if (!prediction) return 0;
  const { measure, now, then } = prediction;
  return measure === 'keys' ? (now === 0 ? 0 : 1 - then / now) : then - now;
}

function added(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const row of rows)
    for (const [name, count] of Object.entries(row)) total[name] = (total[name] ?? 0) + count;
  return Object.fromEntries(Object.entries(total).map(([name, count]) => [name, Math.round(count)]));
}
