import { ApiProperty } from '@nestjs/swagger';
import { agentStatuses, type AgentStatus } from '../agent-fields';
import type { AgentRow } from '../agents.repository';

export class AgentDto {
  @ApiProperty({ example: 'code-review-assistant' })
  id!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty()
  type!: string;

  @ApiProperty({ enum: agentStatuses })
  status!: AgentStatus;

  @ApiProperty({ type: [String] })
  capabilities!: string[];

  @ApiProperty({ type: String, nullable: true })
  url!: string | null;

  @ApiProperty({ type: String, nullable: true })
  description!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  last_seen_at!: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ format: 'date-time' })
  updated_at!: string;
}

export class AgentListDto {
  @ApiProperty({ type: [AgentDto], description: 'In the order of their names, byte by byte' })
  agents!: AgentDto[];

  @ApiProperty({ description: 'Agents on this page' })
  count!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: '`cursor` of the next page; null on the last one',
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
    last_seen_at: row.lastSeenAt === null ? null : new Date(row.lastSeenAt).toISOString(),
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
  };
}
