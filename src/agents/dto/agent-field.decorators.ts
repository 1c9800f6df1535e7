import { applyDecorators } from '@nestjs/common';
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

export const IsAgentName = (): PropertyDecorator =>
  applyDecorators(
    IsString({ message: messages.name }),
    Matches(linePattern, { message: messages.name }),
    HasVisibleText(messages.name),
    MaxLength(agentLimits.name, { message: messages.name }),
  );

export const IsAgentType = (): PropertyDecorator =>
  applyDecorators(
    Matches(wordPattern, { message: messages.type }),
    MaxLength(agentLimits.type, { message: messages.type }),
  );

export const IsAgentStatus = (): PropertyDecorator => IsIn(agentStatuses, { message: messages.status });

export const IsReportedStatus = (): PropertyDecorator =>
  IsIn(reportedStatuses, { message: messages.reportedStatus });

export const IsCapabilities = (): PropertyDecorator =>
  applyDecorators(
    IsArray({ message: messages.capabilities }),
    ArrayMaxSize(agentLimits.capabilities, { message: messages.capabilities }),
    ArrayUnique({ message: messages.capabilities }),
    Matches(wordPattern, { each: true, message: `each ${messages.capability}` }),
  );

export const IsAgentUrl = (): PropertyDecorator =>
  applyDecorators(
    IsUrl(
      { protocols: ['http', 'https'], require_protocol: true, require_tld: false, disallow_auth: true },
      { message: messages.url },
    ),
    MaxLength(agentLimits.url, { message: messages.url }),
  );

export const IsDescription = (): PropertyDecorator =>
  applyDecorators(
    IsString({ message: messages.description }),
    Matches(textPattern, { message: messages.description }),
    MaxLength(agentLimits.description, { message: messages.description }),
  );
