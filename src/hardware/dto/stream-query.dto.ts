import { ApiPropertyOptional } from '@nestjs/swagger';
import { QueryInteger } from '../../http/query-integer.decorator';

export class StreamQueryDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 60,
    default: 5,
    description: 'Seconds between two events',
  })
  @QueryInteger(1, 60)
  interval: number = 5;
}
