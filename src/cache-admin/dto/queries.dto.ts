import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsArray, IsBoolean, IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { ArrayMaxSize, ArrayMinSize } from 'class-validator';
import { statsWindows, type StatsWindow } from '../../cache';
import { MayBeAbsent } from '../../http/optional.decorator';

const flag = { message: 'must be true or false' };

function Flag(): PropertyDecorator {
  return (target, name) => {
    IsOptional()(target, name);
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    )(target, name);
    IsBoolean(flag)(target, name);
  };
}

export class StatisticsQueryDto {
  @ApiPropertyOptional({
    enum: ['instance', 'fleet'],
    default: 'instance',
    description: 'The instance that answers, or all of them added up',
  })
  @IsOptional()
  @IsIn(['instance', 'fleet'], { message: 'must be instance or fleet' })
  scope?: 'instance' | 'fleet';

  @ApiPropertyOptional({
    enum: statsWindows,
    default: 'all',
    description: 'The time that is told of; all: since the start',
  })
  @IsOptional()
  @IsIn(statsWindows, { message: `must be one of ${statsWindows.join(', ')}` })
  window?: StatsWindow;
}

export class ClearQueryDto {
  @ApiPropertyOptional({
    description:
      'Over keys: * any run, ? one character, \\ before a literal one. Without it, or with *, everything.',
    maxLength: 256,
    example: 'agents:*',
  })
  @IsOptional()
  @IsString()
  pattern?: string;

  @ApiPropertyOptional({ description: 'Only counts what matches', default: false })
  @Flag()
  dry_run?: boolean;

  @ApiPropertyOptional({ description: 'Needed to clear everything', default: false })
  @Flag()
  confirm?: boolean;
}

const maxNames = 50;
const namePattern = /^[A-Za-z0-9._:-]{1,128}$/;

/** A list of categories or of jobs, with its limits in the documentation as well. */
function Names(what: 'category' | 'job', all: 'categories' | 'jobs'): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'array',
      items: { type: 'string', pattern: namePattern.source },
      minItems: 1,
      maxItems: maxNames,
    }),
    MayBeAbsent(),
    IsArray(),
    ArrayMinSize(1, { message: `must name at least one ${what}, or be left out` }),
    ArrayMaxSize(maxNames, { message: `may name ${maxNames} ${all}` }),
    Matches(namePattern, {
      each: true,
      message: 'each must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -',
    }),
  );
}

export class WarmBodyDto {
  @ApiPropertyOptional({
    description: 'What is warmed; without this and without jobs everything',
    example: ['agents', 'models'],
  })
  @Names('category', 'categories')
  categories?: string[];

  @ApiPropertyOptional({ description: 'Single jobs besides', example: ['agents:list'] })
  @Names('job', 'jobs')
  jobs?: string[];

  @ApiPropertyOptional({
    description: 'false answers at once with a run that can be looked at',
    default: true,
  })
  @MayBeAbsent()
  @IsBoolean(flag)
  wait?: boolean;

  @ApiPropertyOptional({ description: 'Only tells what would be warmed', default: false })
  @MayBeAbsent()
  @IsBoolean(flag)
  dry_run?: boolean;
}
