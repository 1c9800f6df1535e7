import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `npm run bench -- event-loop [--short]`: how late the event loop of an instance is while it reads its machine, streams and
 * analyses, each beside requests for what is cached. Run by hand on a quiet machine: whatever else runs there is in the
 * numbers. With `DATABASE_URL` on that server; without, on the embedded PostgreSQL, which works in the same process.
 */
const phaseMs = process.argv.includes('--short') ? 2_000 : 10_000;
const limitMs = 20;
const hardware = '/api/v1/hardware';

interface Delay {
  p50: number;
  p99: number;
  max: number;
}

/** What goes on beside the cached requests; `round` is done again and again until the time is up. */
interface Phase {
  name: string;
  streams?: number;
  round?: (url: string) => Promise<void>;
}

const get = async (url: string): Promise<void> => void (await (await fetch(url)).arrayBuffer());
const forget = (url: string): Promise<unknown> =>
  fetch(`${url}/api/v1/cache/invalidate`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '["hardware"]',
  }).then(response => response.arrayBuffer());
const anew =
  (...routes: string[]) =>
  async (url: string): Promise<void> => {
    await forget(url);
    await Promise.all(routes.map(route => get(`${url}${hardware}/${route}`)));
  };

const phases: Phase[] = [
  { name: 'cached requests alone' },
  {
    name: 'metrics, status and health read anew',
    round: anew('metrics?include_gpu=true', 'status', 'health'),
  },
  { name: 'processes read anew', round: anew('processes?limit=500', 'metrics?include_processes=true') },
  { name: 'stream to 32 clients each second', streams: 32 },
  { name: 'a week analysed anew', round: anew('analyze/performance', 'analyze/capacity', 'recommendations') },
];

async function main(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-event-loop-'));
  const child = fork(join(__dirname, 'instance.js'), {
    env: { REDIS_URL: 'off', DATA_DIR: dataDir, RATE_LIMIT: 'off', LOG_LEVEL: 'warn', ...process.env },
  });
  try {
    const { url } = await answerOf<{ url: string }>(child);
    const rows: string[] = [];
    for (const phase of phases) {
      const { p50, p99, max } = await measure(child, url, phase);
      const shown = [p50, p99, max].map(ms => ms.toFixed(1)).join(' | ');
      rows.push(`| ${phase.name} | ${shown} | ${max < limitMs ? 'yes' : 'no'} |`);
    }
    const head = `| beside cached requests | p50 ms | p99 ms | max ms | under ${limitMs} ms |\n|---|--:|--:|--:|---|\n`;
    process.stdout.write(`${head}${rows.join('\n')}\n`);
  } finally {
    child.disconnect();
    await new Promise(resolve => child.once('exit', resolve));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measure(child: ChildProcess, url: string, { streams = 0, round }: Phase): Promise<Delay> {
  const ended = new AbortController();
  const { signal } = ended;
  const open = Array.from({ length: streams }, () =>
    follow(`${url}${hardware}/metrics/stream?interval=1`, signal),
  );
  await get(`${url}${hardware}/status`);
  await round?.(url); // what happens once, such as starting a thread, is not what is asked
  await delayOf(child);
  const work = [
    repeat(() => get(`${url}${hardware}/status`), signal),
    round && repeat(() => round(url), signal),
  ];
  await sleep(phaseMs);
  const delay = await delayOf(child);
  ended.abort();
  await Promise.all([...work, ...open]);
  return delay;
}

async function repeat(run: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await run();
}

/** Reads a stream until it is told to end. */
async function follow(url: string, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(url, { signal });
    for await (const chunk of body ?? []) void chunk;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Since it was asked last. */
function delayOf(child: ChildProcess): Promise<Delay> {
  child.send('delay');
  return answerOf(child);
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the instance ended with ${String(code)}`));
    child.once('exit', ended);
    child.once('message', message => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

void main();
