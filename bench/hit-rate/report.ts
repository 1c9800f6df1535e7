import { chartOutcomes, type Chart } from './chart';
import type { Acknowledged, Read, Staleness } from './judge';
import type { ReadOutcome } from './messages';
import { presetTitles, type Preset } from './presets';
import { classes, sum } from './workload';

/** What one preset came to. */
export interface Result {
  readonly preset: Preset;
  readonly reads: readonly Read[];
  readonly changes: readonly Acknowledged[];
  readonly staleness: Staleness;
  /** By class: runs of the origin, and what the ideal of the same events has. */
  readonly loads: readonly number[];
  readonly ideal: { readonly hits: readonly number[]; readonly reads: readonly number[] };
}

const hitOutcomes: readonly ReadOutcome[] = ['l1_hit', 'l2_hit', 'negative_hit'];
const usefulOutcomes: readonly ReadOutcome[] = [...hitOutcomes, 'stale_hit', 'coalesced'];
const fastMs = 5;

/** The numbers of one preset, or of one class of it. */
export function figuresOf({ reads, loads, ideal }: Pick<Result, 'reads' | 'loads' | 'ideal'>): {
  reads: number;
  fresh: number;
  stale: number;
  coalesced: number;
  visible: number;
  ideal: number;
  efficiency: number;
  loads: number;
  moreLoads: number;
  l1Share: number;
  fastShare: number;
  p50Ms: number;
  p99Ms: number;
  lateP99Ms: number;
} {
  const count = (of: readonly ReadOutcome[]): number =>
    reads.filter(({ outcome }) => of.includes(outcome)).length / reads.length;
  const hits = reads.filter(({ outcome }) => hitOutcomes.includes(outcome) || outcome === 'stale_hit');
  const durations = hits.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const late = reads.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
  const idealShare = sum(ideal.hits) / sum(ideal.reads);
  const idealLoads = sum(ideal.reads) - sum(ideal.hits);
  return {
    reads: reads.length,
    fresh: count(hitOutcomes),
    stale: count(['stale_hit']),
    coalesced: count(['coalesced']),
    visible: count(usefulOutcomes),
    ideal: idealShare,
    efficiency: count(usefulOutcomes) / idealShare,
    loads: sum(loads),
    moreLoads: sum(loads) / idealLoads - 1,
    l1Share: count(['l1_hit']),
    fastShare: durations.filter(ms => ms < fastMs).length / durations.length,
    p50Ms: at(durations, 0.5),
    p99Ms: at(durations, 0.99),
    lateP99Ms: at(late, 0.99),
  };
}

/** With reads that begin later than this the run was of another traffic than the one that the ideal is of. */
const mostLateMs = 50;

/** Why a run says nothing, if so: the machine was not quick enough for it. */
export function whyInvalid(results: readonly Result[]): string | undefined {
  const late = results.filter(result => figuresOf(result).lateP99Ms > mostLateMs).map(({ preset }) => preset);
  if (late.length === 0) return undefined;
  return `The machine was too busy: more than 1 % of the reads of ${late.join(', ')} began more than ${mostLateMs} ms late.`;
}

/** What is claimed, and whether this run has reached it. */
export function claimsOf(results: readonly Result[]): { claim: string; value: string; reached: boolean }[] {
  const of = new Map(results.map(result => [result.preset, figuresOf(result)]));
  const claims: { claim: string; value: string; reached: boolean }[] = [];
  const claim = (text: string, value: number, reached: boolean): void =>
    void claims.push({ claim: text, value: percent(value), reached });
  const [before, demand, stale, restart] = [
    of.get('before'),
    of.get('demand'),
    of.get('stale'),
    of.get('restart'),
  ];
  if (before)
    claim('before: fresh hits within a point of 5.4 %', before.fresh, Math.abs(before.fresh - 0.054) < 0.01);
  if (demand)
    claim('demand alone: at least 99.5 % of the ideal', demand.efficiency, demand.efficiency >= 0.995);
  if (stale) {
    claim('stale and refresh ahead: users see at least 88 %', stale.visible, stale.visible >= 0.88);
    claim('the same: at most 10 % more loads than the ideal', stale.moreLoads, stale.moreLoads <= 0.1);
  }
  if (restart) claim('after a restart: users see at least 96.5 %', restart.visible, restart.visible >= 0.965);
  const failed = results.reduce(
    (count, { reads }) => count + reads.filter(({ outcome }) => outcome === 'error').length,
    0,
  );
  claims.push({ claim: 'reads that failed: none', value: String(failed), reached: failed === 0 });
  for (const preset of ['demand', 'stale', 'restart'] as const) {
    const figures = of.get(preset);
    if (figures)
      claim(`${preset}: 99 % of the hits under ${fastMs} ms`, figures.fastShare, figures.fastShare >= 0.99);
  }
  const own = results.filter(({ preset }) => preset !== 'before');
  const older = sum(own.map(({ staleness }) => staleness.olderHere + staleness.olderElsewhere));
  claims.push({
    claim: 'versions older than an acknowledged invalidation: none',
    value: String(older),
    reached: older === 0,
  });
  return claims;
}

/** @param chart file name of the chart that stands beside it */
export function markdownOf(results: readonly Result[], circumstances: string, chart: string): string {
  const invalid = whyInvalid(results);
  const lines = [
    '# Hit rate',
    '',
    circumstances,
    '',
    `![Reads by outcome over time](${chart})`,
    '',
    ...(invalid === undefined ? [] : [`**${invalid} What follows says little.**`, '']),
    '| claim | here | reached |',
    '|---|--:|---|',
    ...claimsOf(results).map(
      ({ claim, value, reached }) => `| ${claim} | ${value} | ${reached ? 'yes' : '**no**'} |`,
    ),
    '',
    '| preset | reads | fresh | stale | coalesced | users see | ideal | share of ideal | loads | to ideal | from L1 | hits p50, p99 ms | under 5 ms | begun late, p99 ms |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...results.map(result => {
      const of = figuresOf(result);
      return `| ${result.preset} | ${of.reads} | ${percent(of.fresh)} | ${percent(of.stale)} | ${percent(of.coalesced)} | ${percent(of.visible)} | ${percent(of.ideal)} | ${percent(of.efficiency)} | ${of.loads} | ${signed(of.moreLoads)} | ${percent(of.l1Share)} | ${of.p50Ms.toFixed(2)}, ${of.p99Ms.toFixed(2)} | ${percent(of.fastShare)} | ${of.lateP99Ms.toFixed(2)} |`;
    }),
    '',
    ...results.map(({ preset }) => `- \`${preset}\`: ${presetTitles[preset]}.`),
    '',
    'The faults of `before` are those that were found in the system that reported 5.3 %. Which class has which of them is composed so',
    'that the rate comes near that: it shows how such a rate comes about, and is no measurement of that system.',
    '',
    '"Fresh" are hits in memory or Redis; a read that waits for the load of another is "coalesced". The ideal is that of a cache',
    'filled by demand alone, of the very same events, whose loads take no time. Times are those of the run, not of the model: what',
    'lies between two presets, such as the start of new instances, takes as long in it as it takes. A hit is timed from when its read',
    'began to its answer; "begun late" is how long after its time in the plan that was, because the process or the machine was busy.',
    '',
    '## Served versions',
    '',
    '| preset | changes | reads judged | older here | older elsewhere, past the bound | within the bound | longest, ms |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...results.map(
      ({ preset, changes, staleness: of }) =>
        `| ${preset} | ${changes.length} | ${of.judged} | ${of.olderHere} | ${of.olderElsewhere} | ${of.withinBound} | ${of.longestMs.toFixed(1)} |`,
    ),
    '',
    'Each record has a version, which a change raises. "Here": the read began, on the instance that made the change, after its',
    'invalidation was acknowledged; `before` has such reads, because it sets what it loaded without a lease. "Elsewhere": on the other instance; it may be behind for two seconds at most.',
    '',
    '## By class',
    '',
    ...results.flatMap(result => [
      `### ${result.preset}`,
      '',
      '| class | reads | fresh | users see | ideal | loads | to ideal |',
      '|---|--:|--:|--:|--:|--:|--:|',
      ...classes.map((each, of) => {
        const figures = figuresOf({
          reads: result.reads.filter(read => read.of === of),
          loads: [result.loads[of]!],
          ideal: { hits: [result.ideal.hits[of]!], reads: [result.ideal.reads[of]!] },
        });
        return `| ${each.name} | ${figures.reads} | ${percent(figures.fresh)} | ${percent(figures.visible)} | ${percent(figures.ideal)} | ${figures.loads} | ${signed(figures.moreLoads)} |`;
      }),
      '',
    ]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

const bins = 60;

export function chartOf({ preset, reads }: Result, durationMs: number): Chart {
  const counts = Array.from({ length: bins }, () => Object.fromEntries(chartOutcomes.map(name => [name, 0])));
  for (const { startMs, outcome } of reads) {
    const bin = counts[Math.min(bins - 1, Math.floor((startMs / durationMs) * bins))]!;
    const name = outcome === 'negative_hit' ? 'l1_hit' : chartOutcomes.includes(outcome) ? outcome : 'miss';
    bin[name]! += 1;
  }
  return {
    title: presetTitles[preset],
    shares: counts.map(bin => {
      const all = Math.max(1, sum(Object.values(bin)));
      return Object.fromEntries(Object.entries(bin).map(([name, value]) => [name, value / all]));
    }),
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function signed(share: number): string {
  if (!Number.isFinite(share)) return '–';
  return `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)} %`;
}
