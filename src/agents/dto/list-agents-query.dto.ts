import { ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { QueryInteger } from '../../http/query-integer.decorator';
import { agentLimits, agentStatuses, type AgentStatus, messages, wordPattern } from '../agent-fields';
import { IsAgentStatus } from './agent-field.decorators';

export class ListAgentsQueryDto {
  @ApiPropertyOptional({ enum: agentStatuses })
  @MayBeAbsent()
  @IsAgentStatus()
  status?: AgentStatus;

  @ApiPropertyOptional({ description: 'Only agents that have it', example: 'monitoring' })
  @MayBeAbsent()
  @Matches(wordPattern, { message: messages.capability })
  capability?: string;

  @ApiPropertyOptional({
    description: 'Agents on a page; the settings have the default and the maximum',
    minimum: 1,
    maximum: agentLimits.page,
  })
  @QueryInteger(1, agentLimits.page)
  limit?: number;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before' })
  @MayBeAbsent()
  @Matches(/^[A-Za-z0-9_-]{1,600}$/, { message: 'must be the next_cursor of an answer' })
  cursor?: string;
}
