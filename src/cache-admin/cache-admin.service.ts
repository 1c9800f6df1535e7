import { Injectable } from '@nestjs/common';
import {
  CacheDoctor,
  Fleet,
  parsePattern,
  PolicyTable,
  TieredCache,
  WarmingService,
  WarmJobUnknownError,
  type WarmRun,
  type WarmSelection,
  type StatsWindow,
} from '../cache';
import type { Actor } from '../auth/actor.decorator';
import { AuditLog } from '../auth/audit-log';
import { ProblemException } from '../http/problem.exception';
import { ClearJobs, maxJobsRunning, type ClearJob } from './clear-jobs';
import type {
  ClearedDto,
  ClearJobDto,
  InvalidationAnswerDto,
  PolicyDto,
  WarmAnswerDto,
  WarmPreviewDto,
  WarmFailureDto,
  WarmRunDto,
} from './dto/answers.dto';
import { diagnosisDto, type DiagnosisDto } from './dto/diagnosis.dto';
import { auditEntryDto, type AuditPageDto } from './dto/audit.dto';
import { explanationDto, type ExplanationDto } from './dto/explanation.dto';
import type { ClearQueryDto } from './dto/queries.dto';
import type { StatisticsDto } from './dto/statistics.dto';
import type { InvalidateRequest } from './invalidate-body';
import { statisticsReport } from './statistics';

/** What operators do with the cache, and what they see of it. */
@Injectable()
export class CacheAdminService {
  constructor(
    private readonly cache: TieredCache,
    private readonly table: PolicyTable,
    private readonly warming: WarmingService,
    private readonly fleet: Fleet,
    private readonly doctor: CacheDoctor,
    private readonly jobs: ClearJobs,
    private readonly audit: AuditLog,
  ) {}

  /** Bounded by the command timeout: a server that does not answer is left out. */
  async statistics(
    scope: 'instance' | 'fleet' = 'instance',
    window: StatsWindow = 'all',
  ): Promise<StatisticsDto> {
    const [server, fleet] = await Promise.all([
      this.cache.remoteInfo(),
      scope === 'fleet' ? this.fleet.statistics(window) : undefined,
    ]);
    const stats = fleet?.statistics ?? this.cache.stats(window);
    const status = this.cache.status();
    return statisticsReport({ stats, window, fleet, status, server, timestamp: now() });
  }

  async diagnose(): Promise<DiagnosisDto> {
    return diagnosisDto(await this.doctor.diagnose(), now());
  }

  /** @throws CacheKeyError */
  async explain(key: string): Promise<ExplanationDto> {
    return explanationDto(await this.cache.explain(key));
  }

  policies(): PolicyDto[] {
    return this.table.all().map(defined => {
      const policy = this.cache.policyInForce(defined);
      const { total, ownTtl, ownStale } = this.table.placesOf(policy.name);
      return {
        name: policy.name,
        tier: policy.tier,
        ttl_ms: policy.ttlMs,
        stale_ms: policy.staleMs,
        negative_ttl_ms: policy.negativeTtlMs,
        jitter: policy.jitter,
        refresh_ahead_fraction: policy.refreshAheadFraction,
        tags: policy.tags,
        overridden: policy.overridden,
        places: { total, own_ttl: ownTtl, own_stale: ownStale },
      };
    });
  }

  /** @throws ProblemException 404 for an unknown category or job, 503 when anything could not be warmed */
  async warm(selection: WarmSelection, actor: Actor): Promise<WarmAnswerDto> {
    const run = await this.beginWarming(selection, actor).end;
    if (run.state !== 'done') {
      throw new ProblemException(
        503,
        'WARM_FAILED',
        'Warming failed',
        `${run.failed + run.left} of ${run.total ?? 0} entries could not be warmed (run ${run.id}).`,
        failuresOf(run).map(({ job, reason }) => ({
          path: job,
          code: 'WARM_FAILED',
          message: `could not be loaded and stored: ${reason}`,
        })),
      );
    }
    return {
      message: `${run.warmed} entries warmed, ${run.skipped} fresh already`,
      timestamp: now(),
      warmed_categories: run.categories,
      run_id: run.id,
      warmed: run.warmed,
      failed: run.failed,
      skipped: run.skipped,
      duration_ms: run.durationMs,
    };
  }

  /** @throws ProblemException 404 for an unknown category or job */
  startWarming(selection: WarmSelection, actor: Actor): WarmRunDto {
    return warmRunDto(this.beginWarming(selection, actor).run);
  }

  /** @throws ProblemException 404 for an unknown category or job */
  async previewWarming(selection: WarmSelection): Promise<WarmPreviewDto> {
    const { jobs, failures } = await knownOrNotFound(() => this.warming.preview(selection));
    const total = jobs.reduce((sum, { units }) => sum + units.length, 0);
    return {
      message: `${total} ${total === 1 ? 'entry' : 'entries'} would be looked at; nothing was loaded`,
      timestamp: now(),
      total,
      jobs,
      failed_jobs: failures.map(({ job }) => job),
    };
  }

  warmRuns(): WarmRunDto[] {
    return this.warming.runs().map(warmRunDto);
  }

  /** @throws ProblemException 404 */
  warmRun(id: string): WarmRunDto {
    const run = this.warming.run(id);
    if (!run)
      throw new ProblemException(
        404,
        'WARM_RUN_NOT_FOUND',
        'No such run',
        'There is no such run among the last 20.',
      );
    return warmRunDto(run);
  }

  async invalidate({ keys, tags }: InvalidateRequest, actor: Actor): Promise<InvalidationAnswerDto> {
    const { applied, queued } = await this.cache.invalidate({ keys, tags });
    this.audit.record(actor, {
      action: 'invalidate',
      target: { ...(tags.length > 0 && { tags }), ...(keys.length > 0 && { keys }) },
      count: tags.length + keys.length,
      result: applied ? 'applied' : 'queued',
    });
    const what = [
      tags.length > 0 && counted(tags.length, 'tag'),
      keys.length > 0 && counted(keys.length, 'key'),
    ]
      .filter(Boolean)
      .join(' and ');
    return {
      message: `${what} ${applied ? 'invalidated' : 'queued: Redis is away'}`,
      tags,
      keys,
      applied,
      queued,
      timestamp: now(),
    };
  }

  /** @throws CachePatternError, ProblemException 400 and 503 */
  async clear(
    { pattern = '*', dry_run: dryRun = false, confirm = false }: ClearQueryDto,
    actor: Actor,
  ): Promise<{ accepted: boolean; body: ClearJobDto | ClearedDto }> {
    parsePattern(pattern);
    if (pattern === '*' && !dryRun) {
      if (!confirm) {
        throw new ProblemException(
          400,
          'PATTERN_TOO_BROAD',
          'Pattern too broad',
          'To clear everything say confirm=true.',
          [{ path: 'pattern', code: 'PATTERN_TOO_BROAD', message: 'matches every key' }],
        );
      }
      const { applied, queued } = await this.cache.clear();
      this.audit.record(actor, {
        action: 'clear_all',
        target: {},
        count: null,
        result: applied ? 'applied' : 'queued',
      });
      return {
        accepted: queued,
        body: {
          message: applied ? 'everything of this namespace is cleared' : 'queued: Redis is away',
          applied,
          queued,
          timestamp: now(),
        },
      };
    }
    const { remote } = this.cache.status();
    if (remote.mode === 'redis' && remote.state === 'down') {
      throw new ProblemException(
        503,
        'CACHE_UNAVAILABLE',
        'Cache unavailable',
        'Nobody can say what matches while Redis is away.',
        undefined,
        {
          'Retry-After': '1',
        },
      );
    }
    const job = this.jobs.start(pattern, dryRun, ended => this.recordEnd(ended, actor));
    if (!job) {
      throw new ProblemException(
        503,
        'CLEAR_JOBS_TOO_MANY',
        'Too many clears',
        `${maxJobsRunning} clears are under way.`,
        undefined,
        {
          'Retry-After': '5',
        },
      );
    }
    const target = { pattern, dry_run: dryRun };
    this.audit.record(actor, { action: 'clear_pattern', target, count: null, result: 'job', jobId: job.id });
    return { accepted: true, body: jobDto(job) };
  }

  clearJob(id: string): ClearJobDto {
    return jobDto(this.findJob(id));
  }

  async cancelClear(id: string, actor: Actor): Promise<ClearJobDto> {
    const job = this.findJob(id);
    if (job.status === 'running') {
      const target = { pattern: job.pattern };
      this.audit.record(actor, { action: 'clear_cancel', target, count: null, result: 'applied', jobId: id });
    }
    await this.jobs.cancel(job);
    return jobDto(job);
  }

  /** What administrators did, the latest first. */
  async auditPage(limit: number, before: number | undefined): Promise<AuditPageDto> {
    const rows = await this.audit.page(limit + 1, before);
    const page = rows.slice(0, limit);
    return {
      entries: page.map(auditEntryDto),
      next_before: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
    };
  }

  private recordEnd(job: ClearJob, actor: Actor): void {
    this.audit.record(actor, {
      action: 'clear_pattern',
      target: { pattern: job.pattern, dry_run: job.dryRun },
      count: job.dryRun ? job.progress.matched : job.progress.removed,
      result: job.status === 'running' ? 'failed' : job.status,
      jobId: job.id,
    });
  }

  private findJob(id: string): ClearJob {
    const job = this.jobs.find(id);
    if (!job)
      throw new ProblemException(
        404,
        'CLEAR_JOB_NOT_FOUND',
        'No such clear',
        'There is no such clear among the last 50 of this instance.',
      );
    return job;
  }

  /** Written into the audit log when it has ended. */
  private beginWarming(
    selection: WarmSelection,
    actor: Actor,
  ): { readonly run: WarmRun; readonly end: Promise<WarmRun> } {
    const { run, end } = knownOrNotFound(() => this.warming.start(selection));
    const recorded = end.then(ended => {
      this.audit.record(actor, {
        action: 'warm',
        target: targetOf(selection, ended),
        count: ended.warmed,
        result: ended.state === 'done' ? 'done' : 'failed',
        jobId: ended.id,
      });
      return ended;
    });
    return { run, end: recorded };
  }
}

/** What was asked for: for everything, what that was. */
function targetOf(
  { categories = [], jobs = [] }: WarmSelection,
  run: WarmRun,
): { categories: readonly string[]; jobs?: readonly string[] } {
  if (categories.length + jobs.length === 0) return { categories: run.categories };
  return jobs.length === 0 ? { categories } : { categories, jobs };
}

function knownOrNotFound<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof WarmJobUnknownError)) throw error;
    throw new ProblemException(404, error.code, 'Nothing to warm', error.message);
  }
}

function warmRunDto(run: WarmRun): WarmRunDto {
  return {
    run_id: run.id,
    state: run.state,
    trigger: run.trigger,
    categories: run.categories,
    jobs: run.jobs,
    started_at: run.startedAt,
    duration_ms: run.durationMs,
    total: run.total ?? null,
    warmed: run.warmed,
    skipped: run.skipped,
    unread: run.unread,
    resumed: run.resumed,
    failed: run.failed,
    left: run.left,
    failed_jobs: failedJobs(run),
    failures: failuresOf(run),
  };
}

function jobDto(job: ClearJob): ClearJobDto {
  return {
    job_id: job.id,
    pattern: job.pattern,
    dry_run: job.dryRun,
    status: job.status,
    scanned: job.progress.scanned,
    matched: job.progress.matched,
    removed: job.progress.removed,
    started_at: job.startedAt,
    ended_at: job.endedAt,
  };
}

function failuresOf(run: WarmRun): WarmFailureDto[] {
  const failures = new Map<string, WarmFailureDto>();
  for (const { job, reason } of run.failures) {
    const known = failures.get(`${job}\n${reason}`);
    if (known) known.count += 1;
    else failures.set(`${job}\n${reason}`, { job, reason, count: 1 });
  }
  return [...failures.values()];
}

function failedJobs(run: WarmRun): string[] {
  return [...new Set(run.failures.map(failure => failure.job))];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function now(): string {
  return new Date().toISOString();
}
