import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from '../../test/e2e/harness/redis-server';
import { keepResult, machine } from '../measure/results';
import type { Delay } from './loop-probe';
import { adminKey, get, type Phase, prepare, statusOf, streamOf } from './phases';

/**
 * `npm run bench:event-loop [-- --short] [-- --only=agents]`: how long the event loop of an instance is held up by what goes on
 * beside requests for what is cached, each phase in an instance of its own; `--only` has those alone whose name has this word.
 * With `DATABASE_URL` on that server; without, on the embedded PostgreSQL.
 */
const isShort = process.argv.includes('--short');
const phaseMs = isShort ? 2_000 : 10_000;
const limitMs = 20;
const onlyWord = process.argv.find(word => word.startsWith('--only='))?.slice('--only='.length) ?? '';
const isWhole = !isShort && onlyWord === '';

/** With the longest delay of the first seconds. */
type Measured = Delay & { first: number };

async function main(): Promise<void> {
  const { phases, stop } = await prepare();
  const rows: ({ name: string } & Measured)[] = [];
  try {
    for (const phase of phases.filter(({ name }) => name.includes(onlyWord)))
      rows.push({ name: phase.name, ...(await measure(phase)) });
  } finally {
    await stop();
  }
  const markdown = markdownOf(rows);
  const isReached = rows.every(({ max }) => max < limitMs);
  if (isWhole) keepResult('event-loop', { markdown, json: { ...machine(), phaseMs, rows } });
  process.stdout.write(markdown);
  if (!isReached) process.exitCode = 1;
}

function markdownOf(rows: readonly ({ name: string } & Measured)[]): string {
  const ms = (value: number): string => value.toFixed(1);
  const database =
    process.env['DATABASE_URL'] === undefined ? 'the embedded PostgreSQL' : 'a PostgreSQL server';
  const lines = rows.map(
    ({ name, p50, p99, max, maxPause, maxOnTheWall, first }) =>
      `| ${name} | ${[p50, p99, max].map(ms).join(' | ')} | ${max < limitMs ? 'yes' : 'no'} | ${[first, maxOnTheWall, maxPause].map(ms).join(' | ')} |`,
  );
  return [
    '# How long the event loop is held up',
    '',
    `Beside requests for what is cached, ${phaseMs / 1_000} s of each, in an instance of its own on ${database} and a Redis server,`,
    'as in production. A timer of a millisecond looks how late it is: that is how long a request would have waited for the loop. Taken',
    'off is what other processes had the processors for: the time in which the thread was ready to go on and waited for a processor, and',
    'as much of a wait for the end of a collection as its helpers waited for one, together no more than the threads of the instance',
    'left. Work of the thread, its part of a collection, locks, files, programs that it waits for and threads of its own are all in.',
    'The process that benchmarks run in is another one, whose priority is lower.',
    '',
    'The last three columns: the longest while everything is done for the first time, loaded and compiled; and the longest delay and pause',
    'with nothing taken off, which show how busy the machine was.',
    '',
    `Node ${process.version}, ${cpus().length} cores. \`npm run bench:event-loop\``,
    '',
    `| beside cached requests | p50 ms | p99 ms | longest ms | under ${limitMs} ms | at first ms | on the wall ms | pause on the wall ms |`,
    '|---|--:|--:|--:|---|--:|--:|--:|',
    ...lines,
    '',
  ].join('\n');
}

async function measure(phase: Phase): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sutazai-event-loop-'));
  const redis = await RedisServer.start();
  const quiet = { REDIS_URL: redis.url, RATE_LIMIT: 'off', LOG_LEVEL: 'warn', DATA_DIR: dataDir };
  const asShipped = { NODE_ENV: 'production', ADMIN_API_KEYS: adminKey };
  const child = fork(join(__dirname, 'instance.js'), phase.args ?? [], {
    env: { ...quiet, ...process.env, ...asShipped, ...phase.env },
  });
  try {
    const { url } = await answerOf<{ url: string }>(child);
    return await delayBeside(child, url, phase);
  } finally {
    const gone = new Promise(resolve => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await gone;
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function delayBeside(
  child: ChildProcess,
  url: string,
  { streams = 0, round }: Phase,
): Promise<Measured> {
  const ended = new AbortController();
  const { signal } = ended;
  const open = Array.from({ length: streams }, () => follow(streamOf(url), signal));
  await get(statusOf(url));
  await round?.(url);
  const work = [repeat(() => get(statusOf(url)), signal), round && repeat(() => round(url), signal)];
  // What happens once and the compiling of what has just begun are told apart.
  await sleep(phaseMs / 4);
  const first = await delayOf(child);
  await sleep(phaseMs);
  const delay = await delayOf(child);
  ended.abort();
  await Promise.all([...work, ...open]);
  return { ...delay, first: first.max };
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
