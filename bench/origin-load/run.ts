import { cpus } from 'node:os';
import { cacheDefaults } from '../../src/cache';
import { classes, sum } from '../hit-rate/workload';
import { keepResult, machine } from '../measure/results';
import { Player } from './player';
import { claimsOf, markdownOf, readsOf, rowsOf, warmReadsOf, type Side } from './report';
import { adminKey, Stage } from './stage';
import { traffic } from './traffic';

/**
 * `npm run bench:origin-load [-- --short] [--seconds=N] [--rate=N] [--seed=N]`: the traffic of `bench/hit-rate` through the real routes of the
 * application on a real PostgreSQL, a real Redis and a server that speaks Ollama's API; once without the cache and once with it.
 * What the database and Ollama were asked for by each route, and whether anything was served that was older than an
 * acknowledged change. Results: `bench/results/origin-load.md` and `.json`; a short run keeps none, nor does one in
 * which requests were not answered.
 */
const options = process.argv.slice(2);
const valueOf = (name: string): string | undefined =>
  options.find(each => each.startsWith(`--${name}=`))?.slice(name.length + 3);
const isShort = options.includes('--short');
const seconds = Number(valueOf('seconds') ?? (isShort ? 8 : 80));
const perSecond = Number(valueOf('rate') ?? 100);
const seed = Number(valueOf('seed') ?? 1);
const fullRate = sum(classes.map(({ readsPerSecond }) => readsPerSecond));
let heartbeats = false;

async function play(cache: boolean): Promise<Side> {
  const stage = await Stage.open();
  try {
    const { port, hasHeartbeats, sessions } = await stage.start({ cache });
    heartbeats = hasHeartbeats;
    await stage.begin();
    const player = new Player(port, adminKey, sessions, cacheDefaults.maxL1StalenessMs);
    const label = cache ? 'with the cache' : 'without the cache';
    let half: Promise<Side['half']> | undefined;
    const played = await player.play(traffic(seed, seconds, perSecond / fullRate, hasHeartbeats), share => {
      if (share >= 0.5) half ??= stage.askedSoFar().then(byRoute => ({ byRoute, requests: player.requests }));
      if (process.stderr.isTTY) process.stderr.write(`\r${label} ${Math.round(share * 100)} % `);
    });
    process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${label}: played\n`);
    await sessions.close();
    return { played, half: await half!, ...(await stage.asked()) };
  } finally {
    await stage.close();
  }
}

async function main(): Promise<void> {
  const [without, withIt] = [await play(false), await play(true)];
  const circumstances = [
    `${perSecond} reads a second in eight classes for ${seconds} s, seed ${seed}, open loop, through the real routes of one instance; with`,
    `changes of agents, settings, models and keys in the proportions of the classes${heartbeats ? ', and heartbeats of agents' : ''}.`,
    `Node ${process.version}, ${cpus().length} cores. \`npm run bench:origin-load\``,
  ].join(' ');
  const markdown = markdownOf(without, withIt, circumstances);
  // Requests that got no answer asked for less than they would have: what is saved would be told wrong, on either side.
  const isValid =
    claimsOf(without, withIt).every(({ reached }) => reached) &&
    Object.keys(without.played.failures).length === 0;
  if (!isShort && isValid) {
    const rows = rowsOf(without, withIt);
    const sides = { without: without.played, with: withIt.played };
    const json = {
      ...machine(),
      seed,
      seconds,
      rows,
      reads: readsOf(rows),
      warmReads: warmReadsOf(without, withIt),
      claims: claimsOf(without, withIt),
      sides,
    };
    keepResult('origin-load', { markdown, json });
  }
  process.stdout.write(markdown);
  for (const { failures } of [without.played, withIt.played])
    if (Object.keys(failures).length > 0)
      process.stdout.write(`\n${JSON.stringify(failures, undefined, 2)}\n`);
  if (!isValid) {
    process.stderr.write('Not every request was answered, or a claim is not reached. Nothing was kept.\n');
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
