import { setTimeout as wait } from 'node:timers/promises';
import { CliError, exitCodes } from './exit-codes';
import type { Session } from './session';
import { count, counted, duration } from './terminal';

interface ClearJob {
  readonly job_id: string;
  readonly status: 'running' | 'done' | 'cancelled' | 'failed';
  readonly matched: number;
  readonly removed: number;
  readonly scanned: number;
}

interface WarmRun {
  readonly run_id: string;
  readonly state: 'running' | 'done' | 'failed' | 'cut';
  readonly total: number | null;
  readonly warmed: number;
  readonly skipped: number;
  readonly unread: number;
  readonly failed: number;
  readonly left: number;
  readonly duration_ms: number;
  readonly failures: readonly { readonly job: string; readonly reason: string; readonly count: number }[];
}

interface WarmPreview {
  readonly message: string;
  readonly jobs: readonly { readonly job: string; readonly units: readonly string[] }[];
}

/** The pattern that needs no scan. */
const everything = '*';
/** Between two looks at a job: at first often, for the many that are over soon; in the end so that others may ask as well. */
const [leastPauseMs, mostPauseMs] = [100, 2_000];

function pauseMs(sinceMs: number): number {
  return Math.min(mostPauseMs, Math.max(leastPauseMs, sinceMs / 10));
}

/** A look at a job that goes on. Being told to come back later is not its end. */
async function looked<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof CliError) || error.retryAfterMs === undefined) throw error;
      await wait(error.retryAfterMs);
    }
  }
}

/** What `clear` is asked. */
export interface ClearRequest {
  readonly pattern: string;
  readonly dryRun: boolean;
  /** Do not ask. */
  readonly yes: boolean;
}

/** Counts what matches, asks, and clears it with a bar. Ctrl-C stops the clear as well. */
export async function clear(session: Session, { pattern, dryRun, yes }: ClearRequest): Promise<void> {
  const { terminal, json } = session;
  if (pattern === everything && !dryRun) return clearEverything(session, yes);
  const { matched, ...before } = await clearJob(session, pattern, true, 0);
  if (dryRun) {
    if (json) return terminal.json({ ...before, matched });
    return terminal.line(`${matching(matched, pattern)}; nothing was removed`);
  }
  if (!yes) await confirmed(session, `${matching(matched, pattern)}. Remove?`);
  const cleared = await clearJob(session, pattern, false, matched);
  if (json) terminal.json(cleared);
  else terminal.line(`${counted(cleared.removed, 'key')} removed`);
}

/** One command, whatever there is: it needs no count and no job, and waits for a Redis that is away. */
async function clearEverything(session: Session, yes: boolean): Promise<void> {
  const { api, terminal, json } = session;
  if (!yes) await confirmed(session, 'Remove everything?');
  const { body } = await api.post<{ message: string; queued: boolean }>('/cache/clear?confirm=true');
  if (json) terminal.json(body);
  else terminal.line(body.message);
  if (body.queued)
    throw new CliError('Redis is away: it is cleared when it is back', exitCodes.queued, 'QUEUED');
}

function matching(matched: number, pattern: string): string {
  return `${counted(matched, 'key')} ${matched === 1 ? 'matches' : 'match'} ${pattern}`;
}

async function clearJob(
  session: Session,
  pattern: string,
  dryRun: boolean,
  total: number,
): Promise<ClearJob> {
  const { api, terminal } = session;
  const query = new URLSearchParams({ pattern, dry_run: String(dryRun) });
  const { body: begun } = await api.post<ClearJob>(`/cache/clear?${query.toString()}`);
  const path = `/cache/clear/${begun.job_id}`;
  const bar = dryRun || total === 0 ? undefined : terminal.progress('Clearing', total);
  const stop = (): void => {
    bar?.stop();
    terminal.note('\nStopping …');
    void api.delete(path).finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  const sinceMs = performance.now();
  try {
    for (;;) {
      const job = await looked(() => api.get<ClearJob>(path));
      bar?.update(job.removed);
      if (job.status === 'done') return job;
      if (job.status !== 'running')
        throw new CliError(
          `The clear ${job.status === 'failed' ? 'failed' : 'was cancelled'} after ${count(job.removed)} keys`,
          exitCodes.failed,
          'CLEAR_NOT_DONE',
        );
      await wait(pauseMs(performance.now() - sinceMs));
    }
  } finally {
    process.off('SIGINT', stop);
    bar?.stop();
  }
}

/** What `warm` is asked. */
export interface WarmRequest {
  readonly categories: readonly string[];
  readonly jobs: readonly string[];
  readonly dryRun: boolean;
}

/** Warms with a bar, or says what would be. */
export async function warm(session: Session, { categories, jobs, dryRun }: WarmRequest): Promise<void> {
  const { api, terminal, json } = session;
  const body = {
    ...(categories.length > 0 && { categories }),
    ...(jobs.length > 0 && { jobs }),
    ...(dryRun ? { dry_run: true } : { wait: false }),
  };
  if (dryRun) {
    const { body: preview } = await api.post<WarmPreview>('/cache/warm', body);
    if (json) return terminal.json(preview);
    terminal.line(preview.message);
    terminal.table(
      [{ title: 'job' }, { title: 'entries', align: 'right' }, { title: 'for example', maxWidth: 60 }],
      preview.jobs.map(({ job, units }) => [job, count(units.length), units[0] ?? '–']),
    );
    return;
  }
  const run = await warmRun(session, (await api.post<WarmRun>('/cache/warm', body)).body);
  if (json) terminal.json(run);
  else
    terminal.line(
      `${count(run.warmed)} entries warmed, ${count(run.skipped)} fresh already, ${count(run.failed)} failed, in ${duration(run.duration_ms)}`,
    );
  if (run.state !== 'done') {
    const why = run.failures.map(
      ({ job, reason, count: times }) =>
        `\n  ${job}: ${reason}${times > 1 ? ` (${count(times)} times)` : ''}`,
    );
    throw new CliError(
      `Warming was not completed (run ${run.run_id})${why.join('')}`,
      exitCodes.failed,
      'WARM_FAILED',
    );
  }
}

async function warmRun({ api, terminal }: Session, begun: WarmRun): Promise<WarmRun> {
  let run = begun;
  let bar: ReturnType<typeof terminal.progress> | undefined;
  const sinceMs = performance.now();
  try {
    while (run.state === 'running') {
      await wait(pauseMs(performance.now() - sinceMs));
      run = await looked(() => api.get<WarmRun>(`/cache/warm/runs/${run.run_id}`));
      if (run.total !== null) bar ??= terminal.progress('Warming', run.total);
      bar?.update(run.warmed + run.skipped + run.unread + run.failed);
    }
    return run;
  } finally {
    bar?.stop();
  }
}

async function confirmed({ terminal }: Session, question: string): Promise<void> {
  if (!terminal.isInteractive)
    throw new CliError(`${question} Nobody can be asked here: say --yes`, exitCodes.usage, 'NOT_CONFIRMED');
  const { createInterface } = await import('node:readline/promises');
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new CliError('Nothing was removed', exitCodes.failed, 'NOT_CONFIRMED');
  } finally {
    reader.close();
  }
}
