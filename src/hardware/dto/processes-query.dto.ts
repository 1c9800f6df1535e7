import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import { QueryInteger } from '../../http/query-integer.decorator';
import { processLimits, processOrders, type ProcessOrder } from '../process-list';
import { QueryNumber } from './query.decorators';

const { minLimit, maxLimit, defaultLimit, maxMemoryMb } = processLimits;

export class ProcessesQueryDto {
  @ApiPropertyOptional({
    enum: processOrders,
    default: 'cpu',
    description: 'The largest first for CPU and memory, ascending for the others',
  })
  @MayBeAbsent()
  @IsIn(processOrders, { message: `must be one of ${processOrders.join(', ')}` })
  sort_by?: ProcessOrder;

  @ApiPropertyOptional({
    description: 'Processes listed at most',
    default: defaultLimit,
  })
  @QueryInteger(minLimit, maxLimit)
  limit?: number;

  @ApiPropertyOptional({ default: 0, description: 'Share of all cores together' })
  @QueryNumber(0, 100)
  min_cpu_percent?: number;

  @ApiPropertyOptional({ default: 0, description: 'MiB resident' })
  @QueryNumber(0, maxMemoryMb)
  min_memory_mb?: number;
}
