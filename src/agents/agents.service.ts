import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { InvalidatesCache } from '../cache';
import { Database } from '../database/database';
import { brokenConstraint, sqlState } from '../database/database-errors';
import { ProblemException } from '../http/problem.exception';
import { SettingsService } from '../settings/settings.service';
import { agentIdPattern } from './agent-fields';
import { cursorAfter, nameOfCursor } from './agents.cursor';
import { AgentsRepository, type AgentChange } from './agents.repository';
import { readAgentSeed } from './agents.seed';
import { tagsOfWrite } from './cache';
import { type AgentDto, type AgentListDto, toAgentDto } from './dto/agent-response.dto';
import type { CreateAgentDto } from './dto/create-agent.dto';
import type { ListAgentsQueryDto } from './dto/list-agents-query.dto';

const uniqueViolation = '23505';

/** The agents that the backend knows. */
@Injectable()
export class AgentsService implements OnModuleInit {
  private readonly log = new Logger('Agents');

  constructor(
    private readonly database: Database,
    private readonly repository: AgentsRepository,
    private readonly settings: SettingsService,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.database.onReady(() => this.fillFirst());
  }

  /**
   * One page of agents by name.
   * @throws ProblemException 400 for a cursor that is not ours or a limit above the setting
   */
  async list({ status, capability, limit, cursor }: ListAgentsQueryDto): Promise<AgentListDto> {
    const { agents_page_size, agents_max_page_size } = (await this.settings.current()).performance;
    const size = limit ?? agents_page_size;
    if (size > agents_max_page_size) {
      const message = `must be a whole number from 1 to ${agents_max_page_size}`;
      throw new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', `limit: ${message}`, [
        { path: 'limit', code: 'MAX', message },
      ]);
    }
    const afterName = cursor === undefined ? undefined : nameOfCursor(cursor);
    const rows = await this.repository.page({ status, capability, afterName, limit: size + 1 });
    const agents = rows.slice(0, size).map(toAgentDto);
    const last = agents.at(-1);
    return {
      agents,
      count: agents.length,
      next_cursor: rows.length > size && last ? cursorAfter(last.name) : null,
    };
  }

  /** @throws ProblemException 404 */
  async one(id: string): Promise<AgentDto> {
    const row = agentIdPattern.test(id) ? await this.repository.one(id) : null;
    if (!row) throw notFound();
    return toAgentDto(row);
  }

  /** @throws ProblemException 409 when the id or the name is taken, 403 when the settings forbid it */
  async create(agent: CreateAgentDto): Promise<AgentDto> {
    if (!(await this.settings.current()).features.agent_registration) throw switchedOff('agent_registration');
    const { id = randomUUID(), name, type, status, capabilities, url, description } = agent;
    return this.refuseTaken(async () =>
      toAgentDto(await this.repository.insert({ id, name, type, status, capabilities, url, description })),
    );
  }

  /** @throws ProblemException 400 when nothing is given, 404, 409 when the name is taken */
  async update(id: string, change: AgentChange): Promise<AgentDto> {
    const given = Object.fromEntries(
      Object.entries(change).filter(([, value]) => value !== undefined),
    ) as AgentChange;
    if (Object.keys(given).length === 0) {
      const message = 'at least one field must be given';
      throw new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', message, [
        { path: '$', code: 'EMPTY', message },
      ]);
    }
    const row = agentIdPattern.test(id)
      ? await this.refuseTaken(() => this.repository.update(id, given))
      : null;
    if (!row) throw notFound();
    return toAgentDto(row);
  }

  /** @throws ProblemException 404, 403 when the settings forbid it */
  async remove(id: string): Promise<void> {
    if (!(await this.settings.current()).features.agent_removal) throw switchedOff('agent_removal');
    const isRemoved = agentIdPattern.test(id) && (await this.repository.remove(id));
    if (!isRemoved) throw notFound();
  }

  @InvalidatesCache({ tags: () => tagsOfWrite(undefined) })
  async fillFirst(): Promise<void> {
    const written = await this.repository.fillOnce(readAgentSeed());
    if (written > 0) this.log.log(`${written} agents of config/agents.yaml written into the empty table`);
  }

  private async refuseTaken<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (sqlState(error) !== uniqueViolation) throw error;
      throw brokenConstraint(error) === 'agents_name_key'
        ? new ProblemException(409, 'AGENT_NAME_TAKEN', 'Name taken', 'Another agent has this name.')
        : new ProblemException(409, 'AGENT_EXISTS', 'Agent exists', 'There is an agent of this id.');
    }
  }
}

function notFound(): ProblemException {
  return new ProblemException(404, 'AGENT_NOT_FOUND', 'Agent not found', 'There is no agent of this id.');
}

function switchedOff(feature: string): ProblemException {
  return new ProblemException(
    403,
    'FEATURE_OFF',
    'Switched off',
    `features.${feature} is off in the settings.`,
  );
}
