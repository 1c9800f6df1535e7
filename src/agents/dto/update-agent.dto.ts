import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import type { AgentStatus } from '../agent-fields';
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
  @ApiPropertyOptional({
    description: 'Unique among the agents',
    example: 'Code Review Assistant',
  })
  @MayBeAbsent()
  @IsAgentName()
  name?: string;

  @ApiPropertyOptional({ example: 'assistant' })
  @MayBeAbsent()
  @IsAgentType()
  type?: string;

  @ApiPropertyOptional({
    description: 'Stands until a heartbeat, a probe or silence says otherwise',
    example: 'unknown',
  })
  @MayBeAbsent()
  @IsAgentStatus()
  status?: AgentStatus;

  @ApiPropertyOptional({ example: ['code-review'] })
  @MayBeAbsent()
  @IsCapabilities()
  capabilities?: string[];

  @ApiPropertyOptional({
    nullable: true,
    description: 'http or https; `{url}/health` is probed',
    example: 'http://code-review:8080',
  })
  @IsOptional()
  @IsAgentUrl()
  url?: string | null;

  @ApiPropertyOptional({
    nullable: true,
    example: 'Reads changes and points at defects and risks.',
  })
  @IsOptional()
  @IsDescription()
  description?: string | null;
}
