import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { agentIdPattern, type AgentStatus, messages } from '../agent-fields';
import {
  IsAgentName,
  IsAgentStatus,
  IsAgentType,
  IsAgentUrl,
  IsCapabilities,
  IsDescription,
} from './agent-field.decorators';

export class CreateAgentDto {
  @ApiPropertyOptional({
    description: 'Part of the path of the agent; a UUID when left out',
    pattern: agentIdPattern.source,
    example: 'code-review-assistant',
  })
  @MayBeAbsent()
  @Matches(agentIdPattern, { message: messages.id })
  id?: string;

  @ApiProperty({
    description: 'Unique among the agents',
    example: 'Code Review Assistant',
  })
  @IsAgentName()
  name!: string;

  @ApiProperty({ example: 'assistant' })
  @IsAgentType()
  type!: string;

  @ApiPropertyOptional({
    default: 'unknown',
    description: 'Stands until a heartbeat or a probe says otherwise',
    example: 'unknown',
  })
  @MayBeAbsent()
  @IsAgentStatus()
  status: AgentStatus = 'unknown';

  @ApiPropertyOptional({
    default: [],
    example: ['code-review'],
  })
  @MayBeAbsent()
  @IsCapabilities()
  capabilities: string[] = [];

  @ApiPropertyOptional({
    nullable: true,
    description: 'http or https; `{url}/health` is probed',
    example: 'http://code-review:8080',
  })
  @IsOptional()
  @IsAgentUrl()
  url: string | null = null;

  @ApiPropertyOptional({
    nullable: true,
    example: 'Reads changes and points at defects and risks.',
  })
  @IsOptional()
  @IsDescription()
  description: string | null = null;
}
