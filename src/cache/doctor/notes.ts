import { minGetsForRating, rates } from '../core';
import { percent, type DoctorFacts } from './diagnosis';

/** What the numbers do not mean, where somebody could think so. */
export function notesOf({ statistics, server, rate, keys }: DoctorFacts): string[] {
  const { totals, policies } = statistics;
  const overall = rates(totals);
  const notes: string[] = [];
  const quiet = Object.entries(policies)
    .filter(([, counters]) => counters.gets - counters.outcomes.bypass < minGetsForRating)
    .map(([name]) => name);
  if (quiet.length > 0)
    notes.push(
      `Fewer than ${minGetsForRating} reads in an hour say nothing about a rate: ${quiet.join(', ')}.`,
    );
  if (server) {
    const asked = server.keyspaceHits + server.keyspaceMisses;
    const own = asked === 0 ? 0 : server.keyspaceHits / asked;
    if (totals.outcomes.l1_hit > 0 && own < overall.hitRate)
      notes.push(
        `The Redis server's own hit rate (${percent(own)}) is below that of users (${percent(overall.hitRate)}): the ${totals.outcomes.l1_hit} reads that the memory of this process has answered never got there. It falls further when that gets better.`,
      );
  }
  const besides = totals.outcomes.stale_hit + totals.outcomes.coalesced;
  if (besides > 0)
    notes.push(
      `${besides} answers were stale or waited for somebody else's load: neither hits nor misses. With them it is ${percent(overall.userVisibleHitRate)} that users see.`,
    );
  if (rate < 1)
    notes.push(
      `Advice on keys comes from a sample of ${keys.length} keys, one in ${Math.round(1 / rate)}; counts of keys are scaled up.`,
    );
  return notes;
}
