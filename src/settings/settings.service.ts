import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import type { ExpectedVersions } from '../http/if-match';
import { ProblemException } from '../http/problem.exception';
import type { SettingDto, SettingsDto, SettingsHistoryDto } from './dto/settings-response.dto';
import { contradiction, type SettingsChange, type SettingsDocument } from './settings.document';
import { SettingsRepository, type VersionedSettings } from './settings.repository';

/** What can be changed while the application runs. Reads here ask the database; the routes are cached. */
@Injectable()
export class SettingsService implements OnModuleInit {
  constructor(
    private readonly config: AppConfig,
    private readonly database: Database,
    private readonly repository: SettingsRepository,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.database.onReady(() => this.repository.createIfMissing());
  }

  /** The settings as they are now, for other features. */
  async current(): Promise<SettingsDocument> {
    return (await this.repository.read()).document;
  }

  async all(): Promise<SettingsDto> {
    return this.describe(await this.repository.read());
  }

  /**
   * One section, or one value as `section.name`.
   * @throws ProblemException 404 when there is none of that name
   */
  async one(key: string): Promise<SettingDto> {
    const { version, ...sections } = await this.all();
    let value: unknown = sections;
    for (const name of key.split('.')) {
      const isKnown = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      if (!isKnown)
        throw new ProblemException(
          404,
          'SETTING_NOT_FOUND',
          'Setting not found',
          'There is no setting of this name.',
        );
      value = (value as Record<string, unknown>)[name];
    }
    return { key, value, version };
  }

  /**
   * Changes some settings when their version is one of `expected`.
   * @throws ProblemException 412 when it is another one, 400 when nothing is given or the result contradicts itself
   */
  async change(change: SettingsChange, expected: ExpectedVersions, changedBy: string): Promise<SettingsDto> {
    if (Object.values(change).every(section => Object.keys(section).length === 0))
      throw invalid('$', 'EMPTY', 'at least one setting must be given');
    const next = await this.repository.change(change, changedBy, (current, document) => {
      if (expected !== 'any' && !expected.has(current.version)) {
        throw new ProblemException(
          412,
          'PRECONDITION_FAILED',
          'The settings have changed',
          `They are at version ${current.version} now; read them again and repeat the change.`,
        );
      }
      const problem = contradiction(document);
      if (problem !== undefined) throw invalid('performance.agents_page_size', 'CONTRADICTION', problem);
    });
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
      version,
    };
  }
}

function invalid(path: string, code: string, message: string): ProblemException {
  return new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', message, [
    { path, code, message },
  ]);
}
