import { setTimeout as wait } from 'node:timers/promises';
import { CliError, exitCodes } from './exit-codes';
import type { Session } from './session';
import { count, duration } from './terminal';

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
  readonly failed_jobs: readonly string[];
}

interface WarmPreview {
  readonly message: string;
  readonly jobs: readonly { readonly job: string; readonly units: readonly string[] }[];
}

/** Between two looks at a job. */
const lookEveryMs = 100;

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
  const counted = await clearJob(session, pattern, true, 0);
  if (dryRun) {
    if (json) return terminal.json(counted);
    return terminal.line(`${count(counted.matched)} keys match ${pattern}; nothing was removed`);
  }
  if (!yes) await confirmed(session, `Remove ${count(counted.matched)} keys that match ${pattern}?`);
  const cleared = await clearJob(session, pattern, false, counted.matched);
  if (json) terminal.json(cleared);
  else terminal.line(`${count(cleared.removed)} keys removed`);
}

async function clearJob(
  session: Session,
  pattern: string,
  dryRun: boolean,
  total: number,
): Promise<ClearJob> {
  const { api, terminal } = session;
  const query = new URLSearchParams({ pattern, dry_run: String(dryRun) });
  // Everything at once is a single command, and has to be meant.
  if (pattern === '*' && !dryRun) query.set('confirm', 'true');
  const { status, body } = await api.post<ClearJob & { message?: string }>(
    `/cache/clear?${query.toString()}`,
  );
  if (body.job_id === undefined) {
    if (status === 202)
      throw new CliError(
        'Redis is away: everything will be cleared when it is back',
        exitCodes.queued,
        'QUEUED',
      );
    return { job_id: '', status: 'done', matched: total, removed: total, scanned: total };
  }
  const path = `/cache/clear/${body.job_id}`;
  const bar = dryRun || total === 0 ? undefined : terminal.progress('Clearing', total);
  const stop = (): void => {
    bar?.stop();
    terminal.note('\nStopping …');
    void api.delete(path).finally(() => process.exit(130));
  };
  process.once('SIGINT', stop);
  try {
    for (;;) {
      const job = await api.get<ClearJob>(path);
      bar?.update(job.removed);
      if (job.status === 'done') return job;
      if (job.status !== 'running')
        throw new CliError(
          `The clear ${job.status === 'failed' ? 'failed' : 'was cancelled'} after ${count(job.removed)} keys`,
          exitCodes.failed,
          'CLEAR_NOT_DONE',
        );
      await wait(lookEveryMs);
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
    const which = run.failed_jobs.length > 0 ? `: ${run.failed_jobs.join(', ')}` : '';
    throw new CliError(
      `Warming was not completed${which} (run ${run.run_id})`,
      exitCodes.failed,
      'WARM_FAILED',
    );
  }
}

async function warmRun({ api, terminal }: Session, begun: WarmRun): Promise<WarmRun> {
  let run = begun;
  let bar: ReturnType<typeof terminal.progress> | undefined;
  try {
    while (run.state === 'running') {
      await wait(lookEveryMs);
      run = await api.get<WarmRun>(`/cache/warm/runs/${run.run_id}`);
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
