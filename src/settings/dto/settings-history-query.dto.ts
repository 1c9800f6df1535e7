import { ApiPropertyOptional } from '@nestjs/swagger';
import { QueryInteger } from '../../http/query-integer.decorator';

export class SettingsHistoryQueryDto {
  @ApiPropertyOptional({ description: 'Changes on a page', default: 20 })
  @QueryInteger(1, 100)
  limit: number = 20;

  @ApiPropertyOptional({
    description: 'Only changes older than this version: `next_before` of the page before',
    example: 20,
  })
  @QueryInteger(1, 2_147_483_647)
  before?: number;
}
