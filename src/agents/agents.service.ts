import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { digestOf, makeKey } from '../auth/issued-key';
import { InvalidatesCache, type BreakerReport } from '../cache';
import { Database } from '../database/database';
import { brokenConstraint, sqlState } from '../database/database-errors';
import type { ExpectedVersions } from '../http/if-match';
import { ProblemException } from '../http/problem.exception';
import { SettingsService } from '../settings/settings.service';
import { agentIdPattern, type ReportedStatus } from './agent-fields';
import { AgentProber, type ProbeOutcome } from './agent-prober';
import { AgentTokensRepository } from './agent-tokens.repository';
import { AgentWatch, type WatchCounts } from './agent-watch';
import { cursorAfter, nameOfCursor } from './agents.cursor';
import { AgentsRepository, type AgentChange } from './agents.repository';
import { readAgentSeed } from './agents.seed';
import { agentWrites } from './cache';
import {
  type AgentDto,
  type AgentListDto,
  type AgentTokenDto,
  type CreatedAgentDto,
  toAgentDto,
} from './dto/agent-response.dto';
import type { CreateAgentDto } from './dto/create-agent.dto';
import type { ListAgentsQueryDto } from './dto/list-agents-query.dto';
import { refuseAbove } from './page-size.pipe';

const uniqueViolation = '23505';

/** The agents that the backend knows. */
@Injectable()
export class AgentsService implements OnModuleInit {
  private readonly log = new Logger('Agents');

  constructor(
    private readonly database: Database,
    private readonly repository: AgentsRepository,
    private readonly tokens: AgentTokensRepository,
    private readonly settings: SettingsService,
    private readonly prober: AgentProber,
    private readonly watch: AgentWatch,
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
    refuseAbove(agents_max_page_size, size);
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

  /**
   * Creates an agent with a token. The answer is the only place where it stands.
   * @throws ProblemException 409 when the id or the name is taken, 403 when the settings forbid it
   */
  async create(agent: CreateAgentDto): Promise<CreatedAgentDto> {
    if (!(await this.settings.current()).features.agent_registration) throw switchedOff('agent_registration');
    const { id = randomUUID(), name, type, status, capabilities, url, description } = agent;
    const token = makeKey('agent');
    const fields = { id, name, type, status, capabilities, url, description };
    const row = await this.refuseTaken(() => this.repository.insert(fields, digestOf(token)));
    return { ...toAgentDto(row), token };
  }

  /** @throws ProblemException 400 when nothing is given, 404, 409 when the name is taken, 412 when the agent is at another version */
  async update(id: string, change: AgentChange, expected: ExpectedVersions): Promise<AgentDto> {
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
      ? await this.refuseTaken(() => this.repository.update(id, given, expected))
      : null;
    if (!row) throw await this.whyNot(id);
    return toAgentDto(row);
  }

  /** @throws ProblemException 404, 412 when the agent is at another version, 403 when the settings forbid it */
  async remove(id: string, expected: ExpectedVersions): Promise<void> {
    if (!(await this.settings.current()).features.agent_removal) throw switchedOff('agent_removal');
    const isRemoved = agentIdPattern.test(id) && (await this.repository.remove(id, expected));
    if (!isRemoved) throw await this.whyNot(id);
  }

  /**
   * Notes that an agent was heard of. What is cached of it is dropped only when that changes its status.
   * @throws ProblemException 404
   */
  async heartbeat(id: string, reported: ReportedStatus): Promise<AgentDto> {
    const beat = agentIdPattern.test(id) ? await this.repository.beat(id, reported) : null;
    if (!beat) throw notFound();
    return toAgentDto(beat.row);
  }

  /**
   * Gives an agent a new token in the place of the one before. The answer is the only place where it stands.
   * @throws ProblemException 404
   */
  async rotateToken(id: string): Promise<AgentTokenDto> {
    const token = makeKey('agent');
    const isReplaced = agentIdPattern.test(id) && (await this.tokens.replace(id, digestOf(token)));
    if (!isReplaced) throw notFound();
    return { id, token };
  }

  /** The breakers of the hosts that this instance has probed, by name. */
  breakers(): BreakerReport[] {
    return this.prober.breakers.list();
  }

  /** Closes all of them, or those of the given names. How many there were. */
  resetBreakers(names?: readonly string[]): number {
    return this.prober.breakers.reset(names);
  }

  /** What this instance has done to keep the status of agents true, since its start. */
  watchCounts(): WatchCounts & { readonly probes: ReadonlyMap<ProbeOutcome, number> } {
    return { ...this.watch.counts, probes: this.prober.counts };
  }

  @InvalidatesCache(agentWrites.fill)
  async fillFirst(): Promise<void> {
    const written = await this.repository.fillOnce(readAgentSeed());
    if (written > 0) this.log.log(`${written} agents of config/agents.yaml written into the empty table`);
  }

  /** Why there was no agent of this id at the expected version. */
  private async whyNot(id: string): Promise<ProblemException> {
    const version = agentIdPattern.test(id) ? await this.repository.version(id) : null;
    if (version === null) return notFound();
    return new ProblemException(
      412,
      'PRECONDITION_FAILED',
      'The agent has changed',
      `It is at version ${version} now; read it again and repeat the change.`,
    );
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
