import { ApiPropertyOptional } from '@nestjs/swagger';
import { QueryBoolean } from './query.decorators';

export class MetricsQueryDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'How many processes there are, by state',
  })
  @QueryBoolean()
  include_processes?: boolean;

  @ApiPropertyOptional({ type: Boolean, default: true, description: 'Traffic of each interface' })
  @QueryBoolean()
  include_network?: boolean;

  @ApiPropertyOptional({ type: Boolean, default: true, description: 'Room on each disk' })
  @QueryBoolean()
  include_disk?: boolean;

  @ApiPropertyOptional({ type: Boolean, default: false, description: 'The GPUs; null without one' })
  @QueryBoolean()
  include_gpu?: boolean;
}
