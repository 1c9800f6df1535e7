import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsObject, Max, Min, ValidateNested } from 'class-validator';
import { MayBeAbsent } from '../../http/optional.decorator';
import type { SettingsChange } from '../settings.document';

const isBoolean = { message: 'must be true or false' };

export class ChangeFeaturesDto {
  @ApiPropertyOptional({ description: 'Whether agents can be created' })
  @MayBeAbsent()
  @IsBoolean(isBoolean)
  agent_registration?: boolean;

  @ApiPropertyOptional({ description: 'Whether agents can be removed' })
  @MayBeAbsent()
  @IsBoolean(isBoolean)
  agent_removal?: boolean;
}

export class ChangePerformanceDto {
  @ApiPropertyOptional({
    description: 'Agents on a page when the request does not say',
    minimum: 1,
    maximum: 1_000,
  })
  @MayBeAbsent()
  @IsInt({ message: 'must be a whole number from 1 to 1000' })
  @Min(1, { message: 'must be a whole number from 1 to 1000' })
  @Max(1_000, { message: 'must be a whole number from 1 to 1000' })
  agents_page_size?: number;

  @ApiPropertyOptional({ description: 'Agents on a page at most', minimum: 1, maximum: 1_000 })
  @MayBeAbsent()
  @IsInt({ message: 'must be a whole number from 1 to 1000' })
  @Min(1, { message: 'must be a whole number from 1 to 1000' })
  @Max(1_000, { message: 'must be a whole number from 1 to 1000' })
  agents_max_page_size?: number;
}

/** The settings to change; what is left out stays. */
export class ChangeSettingsDto {
  @ApiPropertyOptional({ type: ChangeFeaturesDto })
  @MayBeAbsent()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ChangeFeaturesDto)
  features?: ChangeFeaturesDto;

  @ApiPropertyOptional({ type: ChangePerformanceDto })
  @MayBeAbsent()
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ChangePerformanceDto)
  performance?: ChangePerformanceDto;

  /** Plain data without what was left out. */
  toChange(): SettingsChange {
    return JSON.parse(
      JSON.stringify({ features: this.features, performance: this.performance }),
    ) as SettingsChange;
  }
}
