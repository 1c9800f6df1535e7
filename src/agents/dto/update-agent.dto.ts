import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { agentLimits, agentStatuses, type AgentStatus } from '../agent-fields';
import {
  IsAgentName,
  IsAgentStatus,
  IsAgentType,
  IsAgentUrl,
  IsCapabilities,
  IsDescription,
} from './agent-field.decorators';

/** What to change; what is left out stays, and null empties `url` and `description`. */
export class UpdateAgentDto {
  @ApiPropertyOptional({ maxLength: agentLimits.name })
  @MayBeAbsent()
  @IsAgentName()
  name?: string;

  @ApiPropertyOptional({ maxLength: agentLimits.type })
  @MayBeAbsent()
  @IsAgentType()
  type?: string;

  @ApiPropertyOptional({ enum: agentStatuses })
  @MayBeAbsent()
  @IsAgentStatus()
  status?: AgentStatus;

  @ApiPropertyOptional({ type: [String], maxItems: agentLimits.capabilities })
  @MayBeAbsent()
  @IsCapabilities()
  capabilities?: string[];

  @ApiPropertyOptional({ type: String, nullable: true })
  @IsOptional()
  @IsAgentUrl()
  url?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: agentLimits.description })
  @IsOptional()
  @IsDescription()
  description?: string | null;
}
