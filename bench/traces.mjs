// `npm run bench:traces [-- --dir FOLDER]`: hit ratios of L1's eviction on access traces, beside `lru-cache` and the best
// that anybody could do who knew the future. FOLDER holds `NAME.ids.br`: brotli of LEB128 varints, dense key ids. Without a
// folder it makes traces whose answers are known in closed form and checks itself against them.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliDecompressSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

const require = createRequire(import.meta.url);
const { Slots } = require('../dist/cache/memory/slots.js');
const { S3Fifo } = require('../dist/cache/memory/s3-fifo.js');
const { Lru } = require('../dist/cache/memory/lru.js');

const shares = [0.01, 0.05, 0.1];
const { values } = parseArgs({ options: { dir: { type: 'string' } } });

/** @returns {number} hits in percent */
function ours(ids, capacity, makeEviction) {
  const slots = new Slots(capacity);
  const eviction = makeEviction(slots, capacity);
  let hits = 0;
  for (const id of ids) {
    const key = `key:${id}`;
    const slot = slots.find(key);
    if (slot !== undefined) {
      hits += 1;
      eviction.use(slot);
      continue;
    }
    if (slots.count === capacity) slots.release(eviction.evict());
    const taken = slots.take(key, id);
    slots.bytes[taken] = 1;
    eviction.add(taken);
  }
  return (100 * hits) / ids.length;
}

function lruCache(ids, capacity) {
  const cache = new LRUCache({ max: capacity });
  let hits = 0;
  for (const id of ids) {
    if (cache.get(id) !== undefined) hits += 1;
    else cache.set(id, true);
  }
  return (100 * hits) / ids.length;
}

/** Belady's MIN: evicts what is wanted again last, or does not keep the newcomer if that is he. */
function clairvoyant(ids, capacity) {
  const nextUse = new Array(ids.length).fill(Infinity);
  const last = new Map();
  for (let at = ids.length - 1; at >= 0; at -= 1) {
    nextUse[at] = last.get(ids[at]) ?? Infinity;
    last.set(ids[at], at);
  }
  const held = new Map();
  const heap = new FarthestFirst();
  let hits = 0;
  ids.forEach((id, at) => {
    if (held.has(id)) hits += 1;
    held.set(id, nextUse[at]);
    heap.push(nextUse[at], id);
    while (held.size > capacity) {
      const [use, victim] = heap.pop();
      if (held.get(victim) === use) held.delete(victim);
    }
  });
  return (100 * hits) / ids.length;
}

/** A binary heap of [next use, id]; outdated pairs are left in it and known by their time. */
class FarthestFirst {
  #pairs = [];

  push(use, id) {
    const pairs = this.#pairs;
    let at = pairs.push([use, id]) - 1;
    for (let up = (at - 1) >> 1; at > 0 && pairs[up][0] < pairs[at][0]; up = (at - 1) >> 1) {
      [pairs[up], pairs[at]] = [pairs[at], pairs[up]];
      at = up;
    }
  }

  pop() {
    const pairs = this.#pairs;
    const top = pairs[0];
    const end = pairs.pop();
    if (pairs.length === 0) return top;
    pairs[0] = end;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let most = at;
      if (left < pairs.length && pairs[left][0] > pairs[most][0]) most = left;
      if (right < pairs.length && pairs[right][0] > pairs[most][0]) most = right;
      if (most === at) return top;
      [pairs[at], pairs[most]] = [pairs[most], pairs[at]];
      at = most;
    }
  }
}

const policies = {
  s3fifo: (ids, capacity) => ours(ids, capacity, (slots, max) => new S3Fifo(slots, max, Infinity)),
  lru: (ids, capacity) => ours(ids, capacity, slots => new Lru(slots)),
  'lru-cache': lruCache,
  'best possible': clairvoyant,
};

function readTrace(file) {
  const ids = [];
  let value = 0;
  let shift = 0;
  for (const byte of brotliDecompressSync(readFileSync(file))) {
    value += (byte & 127) * 2 ** shift;
    if (byte & 128) shift += 7;
    else {
      ids.push(value);
      value = 0;
      shift = 0;
    }
  }
  return ids;
}

/** Park and Miller's generator: the same numbers everywhere. */
function random(seed) {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function zipfShares(keys, alpha) {
  const weights = Array.from({ length: keys }, (_, at) => (at + 1) ** -alpha);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map(weight => weight / sum);
}

/** Che's approximation: LRU of C entries holds what was asked for within T, where the expected number of such keys is C. */
function che(popularity, capacity) {
  const expected = time => popularity.reduce((sum, share) => sum + 1 - Math.exp(-share * time), 0);
  let [low, high] = [0, 1];
  while (expected(high) < capacity) high *= 2;
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (expected(middle) < capacity) low = middle;
    else high = middle;
  }
  return 100 * popularity.reduce((sum, share) => sum + share * (1 - Math.exp(-share * high)), 0);
}

/** Traces with known answers; `answers` are [policy, percent, tolerance in points, `most`: an upper bound]. */
function syntheticTraces() {
  const keys = 10_000;
  const popularity = zipfShares(keys, 0.9);
  const sums = [];
  popularity.reduce((sum, share, at) => (sums[at] = sum + share), 0);
  const next = random(42);
  const zipf = Array.from({ length: 600_000 }, () => {
    const at = next();
    let [low, high] = [0, keys - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  });
  const capacity = 500;
  const best = 100 * popularity.slice(0, capacity).reduce((sum, share) => sum + share, 0);
  const loop = Array.from({ length: 400_000 }, (_, at) => at % 2_000);
  const scan = Array.from({ length: 200_000 }, (_, at) => at);
  return [
    {
      name: 'zipf 0.9, 10,000 keys, 500 held',
      ids: zipf,
      capacity,
      answers: [
        ['lru', che(popularity, capacity), 0.5],
        ['s3fifo', best, 0.5, 'most'],
      ],
    },
    {
      name: 'loop over 2,000 keys, 500 held',
      ids: loop,
      capacity,
      // Whoever knows the future keeps 499 of the 1,999 others each time.
      answers: [
        ['lru', 0, 0],
        ['best possible', (100 * (capacity - 1)) / 1_999, 1.5],
      ],
    },
    {
      name: 'scan, each key once',
      ids: scan,
      capacity,
      answers: Object.keys(policies).map(name => [name, 0, 0]),
    },
  ];
}

function print(name, capacity, ratios) {
  const cells = Object.values(ratios).map(ratio => ratio.toFixed(2).padStart(13));
  console.log(`${name.padEnd(36)} ${String(capacity).padStart(7)} ${cells.join(' ')}`);
}

function ratiosOf(ids, capacity) {
  return Object.fromEntries(Object.entries(policies).map(([name, run]) => [name, run(ids, capacity)]));
}

console.log(
  `${'hit ratio, %'.padEnd(36)} ${'entries'.padStart(7)} ${Object.keys(policies)
    .map(name => name.padStart(13))
    .join(' ')}`,
);
if (values.dir) {
  for (const file of readdirSync(values.dir).filter(name => name.endsWith('.ids.br'))) {
    const ids = readTrace(join(values.dir, file));
    const keys = new Set(ids).size;
    for (const share of shares) {
      const capacity = Math.round(keys * share);
      print(
        `${file.replace('.ids.br', '')}, ${share * 100} % of ${keys} keys`,
        capacity,
        ratiosOf(ids, capacity),
      );
    }
  }
} else {
  let wrong = 0;
  for (const { name, ids, capacity, answers } of syntheticTraces()) {
    const ratios = ratiosOf(ids, capacity);
    print(name, capacity, ratios);
    for (const [policy, expected, tolerance, kind] of answers) {
      const off = ratios[policy] - expected;
      const isRight = kind === 'most' ? off <= tolerance : Math.abs(off) <= tolerance;
      if (!isRight) wrong += 1;
      const sign = kind === 'most' ? 'at most' : 'expected';
      console.log(
        `  ${isRight ? 'ok   ' : 'WRONG'} ${policy}: ${sign} ${expected.toFixed(2)}, got ${ratios[policy].toFixed(2)}`,
      );
    }
  }
  process.exitCode = wrong === 0 ? 0 : 1;
}
