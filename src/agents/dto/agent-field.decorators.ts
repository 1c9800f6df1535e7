import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsString,
  IsUrl,
  Matches,
  MaxLength,
} from 'class-validator';
import { documentedPattern } from '../../http/documented-pattern';
import { HasVisibleText } from '../../http/visible-text.decorator';
import {
  agentLimits,
  agentStatuses,
  linePattern,
  messages,
  reportedStatuses,
  textPattern,
  wordPattern,
} from '../agent-fields';

// Each has its limits in the documentation as well.

export const IsAgentName = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ maxLength: agentLimits.name, pattern: documentedPattern(linePattern) }),
    IsString({ message: messages.name }),
    Matches(linePattern, { message: messages.name }),
    HasVisibleText(messages.name),
    MaxLength(agentLimits.name, { message: messages.name }),
  );

export const IsAgentType = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ maxLength: agentLimits.type, pattern: wordPattern.source }),
    Matches(wordPattern, { message: messages.type }),
    MaxLength(agentLimits.type, { message: messages.type }),
  );

export const IsAgentStatus = (): PropertyDecorator =>
  applyDecorators(ApiProperty({ enum: agentStatuses }), IsIn(agentStatuses, { message: messages.status }));

export const IsReportedStatus = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ enum: reportedStatuses }),
    IsIn(reportedStatuses, { message: messages.reportedStatus }),
  );

export const IsCapabilities = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'string', pattern: wordPattern.source },
      maxItems: agentLimits.capabilities,
      uniqueItems: true,
    }),
    IsArray({ message: messages.capabilities }),
    ArrayMaxSize(agentLimits.capabilities, { message: messages.capabilities }),
    ArrayUnique({ message: messages.capabilities }),
    Matches(wordPattern, { each: true, message: `each ${messages.capability}` }),
  );

export const IsAgentUrl = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: String, maxLength: agentLimits.url }),
    IsUrl(
      { protocols: ['http', 'https'], require_protocol: true, require_tld: false, disallow_auth: true },
      { message: messages.url },
    ),
    MaxLength(agentLimits.url, { message: messages.url }),
  );

export const IsDescription = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({
      type: String,
      maxLength: agentLimits.description,
      pattern: documentedPattern(textPattern),
    }),
    IsString({ message: messages.description }),
    Matches(textPattern, { message: messages.description }),
    MaxLength(agentLimits.description, { message: messages.description }),
  );
