import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  Max,
  Min,
} from 'class-validator';
import { MayBeAbsent } from '../../../http/optional.decorator';
import { benchmarkDuration, benchmarkParts, type BenchmarkPart } from '../benchmark/benchmark';
import { optimizeActions, type OptimizeAction } from '../optimize/optimize';

const { minMs, maxMs, defaultMs } = benchmarkDuration;
const duration = { message: `must be a whole number from ${minMs} to ${maxMs}` };
const list = (words: readonly string[]) => ({
  message: `must be a list of different words of ${words.join(', ')}, or be left out`,
});
const each = (words: readonly string[]) => ({
  each: true,
  message: `each must be one of ${words.join(', ')}`,
});

export class StartBenchmarkDto {
  @ApiPropertyOptional({
    enum: benchmarkParts,
    isArray: true,
    minItems: 1,
    maxItems: benchmarkParts.length,
    uniqueItems: true,
    default: benchmarkParts,
    example: ['cpu', 'disk'],
    description: 'What is measured, one after the other: cpu, memory, disk',
  })
  @MayBeAbsent()
  @IsArray(list(benchmarkParts))
  @ArrayMinSize(1, list(benchmarkParts))
  @ArrayMaxSize(benchmarkParts.length, list(benchmarkParts))
  @ArrayUnique(list(benchmarkParts))
  @IsIn(benchmarkParts, each(benchmarkParts))
  parts: BenchmarkPart[] = [...benchmarkParts];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: minMs,
    maximum: maxMs,
    default: defaultMs,
    example: defaultMs,
    description: 'Milliseconds that each part takes, about',
  })
  @MayBeAbsent()
  @IsInt(duration)
  @Min(minMs, duration)
  @Max(maxMs, duration)
  duration_ms: number = defaultMs;
}

export class StartOptimizationDto {
  @ApiPropertyOptional({
    enum: optimizeActions,
    isArray: true,
    minItems: 1,
    maxItems: optimizeActions.length,
    uniqueItems: true,
    default: optimizeActions,
    example: ['files'],
    description: 'memory: of this process; files: old ones in the folders of HARDWARE_CLEANUP_FOLDERS',
  })
  @MayBeAbsent()
  @IsArray(list(optimizeActions))
  @ArrayMinSize(1, list(optimizeActions))
  @ArrayMaxSize(optimizeActions.length, list(optimizeActions))
  @ArrayUnique(list(optimizeActions))
  @IsIn(optimizeActions, each(optimizeActions))
  actions: OptimizeAction[] = [...optimizeActions];

  @ApiPropertyOptional({
    default: true,
    example: true,
    description: 'true tells what would be done; only false does it',
  })
  @MayBeAbsent()
  @IsBoolean({ message: 'must be true or false' })
  dry_run: boolean = true;
}
