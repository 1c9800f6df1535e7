import { ApiProperty } from '@nestjs/swagger';

export class FeaturesDto {
  @ApiProperty({ description: 'Whether agents can be created' })
  agent_registration!: boolean;

  @ApiProperty({ description: 'Whether agents can be removed' })
  agent_removal!: boolean;
}

export class PerformanceDto {
  @ApiProperty({ description: 'Agents on a page when the request does not say' })
  agents_page_size!: number;

  @ApiProperty({ description: 'Agents on a page at most' })
  agents_max_page_size!: number;
}

export class SettingsDto {
  @ApiProperty({ enum: ['development', 'production', 'test'] })
  environment!: string;

  @ApiProperty()
  features!: FeaturesDto;

  @ApiProperty()
  performance!: PerformanceDto;

  @ApiProperty({ description: 'Grows by one with each change; the ETag is this number in quotes' })
  version!: number;
}

export class SettingDto {
  @ApiProperty({ example: 'performance.agents_page_size' })
  key!: string;

  @ApiProperty({ description: 'A section, or one of its values' })
  value!: unknown;

  @ApiProperty()
  version!: number;
}

export class SettingsHistoryEntryDto {
  @ApiProperty({ description: 'The version that the change made' })
  version!: number;

  @ApiProperty({ description: 'What the change gave' })
  change!: Record<string, unknown>;

  @ApiProperty({ description: 'key:<first digits of the digest>, or loopback' })
  changed_by!: string;

  @ApiProperty({ format: 'date-time' })
  changed_at!: string;
}

export class SettingsHistoryDto {
  @ApiProperty({ type: [SettingsHistoryEntryDto] })
  history!: SettingsHistoryEntryDto[];

  @ApiProperty({
    nullable: true,
    type: Number,
    description: '`before` of the next page; null on the last one',
  })
  next_before!: number | null;
}
