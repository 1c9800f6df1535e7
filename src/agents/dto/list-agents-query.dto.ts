import { ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { QueryInteger } from '../../http/query-integer.decorator';
import { agentLimits, type AgentStatus, messages, wordPattern } from '../agent-fields';
import { cursorPattern, ReadsCursor } from '../agents.cursor';
import { IsAgentStatus } from './agent-field.decorators';

export class ListAgentsQueryDto {
  @ApiPropertyOptional({ description: 'Only agents of this status', example: 'healthy' })
  @MayBeAbsent()
  @IsAgentStatus()
  status?: AgentStatus;

  @ApiPropertyOptional({
    description: 'Only agents that have it: 1 to 64 lower-case letters, digits, dots, dashes and underscores',
    pattern: wordPattern.source,
    example: 'monitoring',
  })
  @MayBeAbsent()
  @Matches(wordPattern, { message: messages.capability })
  capability?: string;

  @ApiPropertyOptional({
    description: 'Agents on a page; the settings have the default and the maximum',
    example: 50,
  })
  @QueryInteger(1, agentLimits.page)
  limit?: number;

  @ApiPropertyOptional({
    description: '`next_cursor` of the page before, unchanged: 1 to 600 characters',
    pattern: cursorPattern.source,
    example: 'WyJDb2RlIFJldmlldyBBc3Npc3RhbnQiXQ',
  })
  @MayBeAbsent()
  @ReadsCursor()
  @Matches(cursorPattern, { message: 'must be the next_cursor of an answer' })
  cursor?: string;
}
