import { hitsOf, minReads, percent, sum, type Advice, type Family } from './diagnosis';
import { varyingPart } from './key-family';

/** Fewer keys are no explosion. */
const minKeys = 50;
/** Without the part there would be so many times fewer keys. */
const minFactor = 4;
/** Of the reads, cold misses. */
const minColdShare = 0.3;

/** Parts of the path, the principal, arguments, and parts of keys that were made by hand; not parameters and headers. */
const namesWhatIsAnswered = /^(?:[:!]|argument |part )/;

/** A part of the key that makes nearly every read a new one. */
export function narrowerKey({ head, policy, keys, reads }: Family, rate: number): Advice | undefined {
  if (keys.length < minKeys) return undefined;
  const cold = sum(keys.map(({ causes }) => causes.cold));
  if (reads < minReads || cold / reads < minColdShare) return undefined;
  const varying = varyingPart(keys.map(({ key }) => key));
  if (!varying || varying.keysWithout * minFactor > keys.length) return undefined;
  const loaded = keys.flatMap(({ contentHash }) => (contentHash === undefined ? [] : [contentHash]));
  const contents = new Set(loaded).size;
  // Where each has a content of its own, the part names what is answered, and so it should: a record, a user, what is searched
  // for. Only a parameter that looks like a time or a token may be a mistake all the same, where the answer tells the time too.
  const isOwn = contents > loaded.length / minFactor;
  if (isOwn && (namesWhatIsAnswered.test(varying.name) || !varying.looksMadeUp)) return undefined;
  const [now, then] = [Math.round(keys.length / rate), Math.round(varying.keysWithout / rate)];
  const hitRate = sum(keys.map(({ outcomes }) => hitsOf(outcomes))) / reads;
  return {
    kind: 'narrower_key',
    policy,
    head,
    message: `${head} has about ${now} keys, which are read ${(reads / keys.length).toFixed(1)} times each: ${varying.name} has ${varying.values} different values among ${keys.length} of them. Without it in the key there would be about ${then}. ${loaded.length} loads brought ${contents} different contents: is it needed to tell them apart?`,
    evidence: {
      sampled_reads: Math.round(reads),
      sampled_keys: keys.length,
      cold_share: cold / reads,
      hit_rate: hitRate,
      varying_part: varying.name,
      values: varying.values,
      loads: loaded.length,
      contents,
    },
    prediction: { measure: 'keys', now, then },
  };
}

/** Tags that reach too far: most misses are of what was invalidated. */
export function narrowerTags({ head, policy, keys, reads }: Family): Advice | undefined {
  const misses = sum(keys.map(({ outcomes }) => outcomes.miss));
  const invalidated = sum(keys.map(({ causes }) => causes.invalidated));
  const now = reads === 0 ? 0 : sum(keys.map(({ outcomes }) => hitsOf(outcomes))) / reads;
  if (reads < minReads || now > 0.7 || invalidated / Math.max(1, misses) < 0.5) return undefined;
  return {
    kind: 'narrower_tags',
    policy,
    head,
    message: `${percent(invalidated / misses)} of the misses of ${head} are of entries that were invalidated. A tag of one record instead of one of all (agent:7 instead of agents) would leave the others alone.`,
    evidence: {
      sampled_reads: Math.round(reads),
      misses: Math.round(misses),
      invalidated: Math.round(invalidated),
    },
    prediction: { measure: 'hit_rate', now, then: Math.min(1, now + invalidated / reads) },
  };
}
