import { ApiProperty } from '@nestjs/swagger';
import { agentStatuses, type AgentStatus } from '../agent-fields';
import type { AgentRow } from '../agents.repository';

export class AgentDto {
  @ApiProperty({ example: 'code-review-assistant' })
  id!: string;

  @ApiProperty({ example: 'Code Review Assistant' })
  name!: string;

  @ApiProperty({ example: 'assistant' })
  type!: string;

  @ApiProperty({
    enum: agentStatuses,
    example: 'healthy',
    description:
      'By its heartbeats and, with a URL, by probes of `{url}/health`; without either, as it was set',
  })
  status!: AgentStatus;

  @ApiProperty({ type: [String], example: ['code-review', 'static-analysis'] })
  capabilities!: string[];

  @ApiProperty({ type: String, nullable: true, example: 'http://code-review:8080' })
  url!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Reads changes and points at defects and risks.' })
  description!: string | null;

  @ApiProperty({
    type: 'integer',
    example: 42,
    description:
      'Grows with every change but that of `last_seen_at` alone, not by one; in quotes it is the ETag. No version is given twice',
  })
  version!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'date-time',
    example: '2026-02-01T12:00:00.000Z',
    description: 'The last heartbeat. A cached answer may be behind by ten minutes more than its Age',
  })
  last_seen_at!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-31T09:30:00.000Z' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', example: '2026-02-01T11:58:20.000Z' })
  updated_at!: string;
}

const tokenProperty = {
  example: `sutazai_agent_${'A'.repeat(43)}0a1b2c`,
  description: 'For the heartbeats of the agent: shown here and never again',
};

export class CreatedAgentDto extends AgentDto {
  @ApiProperty(tokenProperty)
  token!: string;
}

export class AgentTokenDto {
  @ApiProperty({ example: 'code-review-assistant' })
  id!: string;

  @ApiProperty(tokenProperty)
  token!: string;
}

export class AgentListDto {
  @ApiProperty({ type: [AgentDto], description: 'In the order of their names, byte by byte' })
  agents!: AgentDto[];

  @ApiProperty({ type: 'integer', description: 'Agents on this page', example: 1 })
  count!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: '`cursor` of the next page; null on the last one',
    example: 'WyJDb2RlIFJldmlldyBBc3Npc3RhbnQiXQ',
  })
  next_cursor!: string | null;
}

/** The wire form of a record. */
export function toAgentDto(row: AgentRow): AgentDto {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    status: row.status,
    capabilities: [...row.capabilities],
    url: row.url,
    description: row.description,
    version: row.version,
    last_seen_at: row.lastSeenAt === null ? null : new Date(row.lastSeenAt).toISOString(),
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
  };
}
