import { ApiPropertyOptional } from '@nestjs/swagger';
import { QueryInteger } from '../../http/query-integer.decorator';

export class StreamQueryDto {
  @ApiPropertyOptional({
    default: 5,
    description: 'Seconds between two events',
  })
  @QueryInteger(1, 60)
  interval: number = 5;
}
