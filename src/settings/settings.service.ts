import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { PolicyTable } from '../cache';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import type { ExpectedVersions } from '../http/if-match';
import { ProblemException, type ProblemItem } from '../http/problem.exception';
import type { SettingDto, SettingsDto, SettingsHistoryDto } from './dto/settings-response.dto';
import { policyProblems, shownPolicies } from './policy-settings';
import { isSettingKey } from './setting-keys';
import {
  contradiction,
  contradictionWithin,
  isEmptyChange,
  settingsDefaults,
  type SettingsChange,
  type SettingsDocument,
} from './settings.document';
import { SettingsFollower } from './settings.follower';
import { SettingsRepository, type VersionedSettings } from './settings.repository';

/** What can be changed while the application runs. Reads cost no query: they come from the cache, the routes' and others'. */
@Injectable()
export class SettingsService implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
    private readonly repository: SettingsRepository,
    private readonly follower: SettingsFollower,
    private readonly policies: PolicyTable,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.database.onReady(() => this.repository.createIfMissing());
  }

  /** Before the first request, so that none is answered under other settings. */
  async onApplicationBootstrap(): Promise<void> {
    await this.follower.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.follower.stop();
  }

  /** The settings as they are now, for other features; an entry whose loader asks for them goes when they change. */
  async current(): Promise<SettingsDocument> {
    return (await this.repository.read()).document;
  }

  /** The settings in force on this instance, from memory; undefined while they could not be read yet. */
  known(): SettingsDocument | undefined {
    return this.follower.inForce;
  }

  /** The same, or the defaults: for who must not fail with the database. */
  inForce(): SettingsDocument {
    return this.known() ?? settingsDefaults;
  }

  async all(): Promise<SettingsDto> {
    return this.describe(await this.repository.latest());
  }

  /**
   * One section, or one value as `section.name`.
   * @throws ProblemException 404 when there is none of that name
   */
  async one(key: string): Promise<SettingDto> {
    if (!isSettingKey(key))
      throw new ProblemException(
        404,
        'SETTING_NOT_FOUND',
        'Setting not found',
        'There is no setting of this name.',
      );
    const { version, ...sections } = await this.all();
    const inside = (value: unknown, name: string): unknown => (value as Record<string, unknown>)[name];
    return { key, value: key.split('.').reduce(inside, sections), version };
  }

  /**
   * Changes some settings when their version is one of `expected`; they are in force here when it resolves.
   * @throws ProblemException 412 when it is another one, 400 when nothing is given or the result contradicts itself
   */
  async change(change: SettingsChange, expected: ExpectedVersions, changedBy: string): Promise<SettingsDto> {
    const problems = policyProblems(change.cache?.policies ?? {}, this.policies.all());
    if (problems.length > 0) throw invalid(problems);
    if (isEmptyChange(change)) throw invalid([item('$', 'EMPTY', 'at least one setting must be given')]);
    const refuse = (problem: ReturnType<typeof contradiction>): void => {
      if (problem) throw invalid([item(problem.path, 'CONTRADICTION', problem.message)]);
    };
    refuse(contradictionWithin(change, this.policies.all()));
    const next = await this.repository.change(change, changedBy, (current, document) => {
      if (expected !== 'any' && !expected.has(current.version)) {
        throw new ProblemException(
          412,
          'PRECONDITION_FAILED',
          'The settings have changed',
          `They are at version ${current.version} now; read them again and repeat the change.`,
        );
      }
      refuse(contradiction(document, this.policies.all()));
    });
    this.follower.changed(next);
    return this.describe(next);
  }

  async history(limit: number, before?: number): Promise<SettingsHistoryDto> {
    const rows = await this.repository.history(limit + 1, before);
    const page = rows.slice(0, limit);
    return {
      history: page.map(({ version, change, changedBy, changedAt }) => ({
        version,
        change,
        changed_by: changedBy,
        changed_at: new Date(changedAt).toISOString(),
      })),
      next_before: rows.length > limit ? (page.at(-1)?.version ?? null) : null,
    };
  }

  private describe({ version, document }: VersionedSettings): SettingsDto {
    return {
      environment: this.config.environment,
      features: document.features,
      performance: document.performance,
      logging: document.logging,
      cache: { policies: shownPolicies(document.cache.policies, this.policies.all()) },
      health: document.health,
      version,
    };
  }
}

const item = (path: string, code: string, message: string): ProblemItem => ({ path, code, message });

/** Under the code that all of the items share, where that is one of a whole answer. */
function invalid(items: readonly ProblemItem[]): ProblemException {
  const only = new Set(items.map(({ code }) => code)).size === 1 ? items[0]!.code : '';
  const code = ['TTL_INVALID', 'UNKNOWN_FIELD'].includes(only) ? only : 'VALIDATION_FAILED';
  const detail = items.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new ProblemException(400, code, 'Invalid request', detail, items);
}
