import { ApiPropertyOptional } from '@nestjs/swagger';
import { MayBeAbsent } from '../../http/optional.decorator';
import type { ReportedStatus } from '../agent-fields';
import { IsReportedStatus } from './agent-field.decorators';

export class HeartbeatDto {
  @ApiPropertyOptional({
    default: 'healthy',
    description: 'What the agent says of itself',
    example: 'healthy',
  })
  @MayBeAbsent()
  @IsReportedStatus()
  status: ReportedStatus = 'healthy';
}
