import { ApiProperty } from '@nestjs/swagger';
import { warmTriggers } from '../../cache';

export class WarmAnswerDto {
  @ApiProperty({ example: '5 entries warmed, 2 fresh already' })
  message!: string;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ type: [String] })
  warmed_categories!: readonly string[];

  @ApiProperty({ format: 'uuid' })
  run_id!: string;

  @ApiProperty({ description: 'Entries that were loaded and stored' })
  warmed!: number;

  @ApiProperty()
  failed!: number;

  @ApiProperty({ description: 'Entries that were fresh already' })
  skipped!: number;

  @ApiProperty()
  duration_ms!: number;
}

export class WarmPreviewJobDto {
  @ApiProperty({ example: 'agents:list' })
  job!: string;

  @ApiProperty({ type: [String], example: ['/api/v1/agents'] })
  units!: readonly string[];
}

export class WarmPreviewDto {
  @ApiProperty({ example: '12 entries would be looked at; nothing was loaded' })
  message!: string;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ description: 'Entries of all jobs' })
  total!: number;

  @ApiProperty({ type: [WarmPreviewJobDto], description: 'In the order in which they would be warmed' })
  jobs!: readonly WarmPreviewJobDto[];

  @ApiProperty({ type: [String], description: 'Jobs that cannot say what they would load; the log says why' })
  failed_jobs!: readonly string[];
}

export class WarmRunDto {
  @ApiProperty({ format: 'uuid' })
  run_id!: string;

  @ApiProperty({
    enum: ['running', 'done', 'failed', 'cut'],
    description: 'cut: its deadline, the end of the application or another leader ended it',
  })
  state!: string;

  @ApiProperty({ enum: warmTriggers })
  trigger!: string;

  @ApiProperty({ type: [String] })
  categories!: readonly string[];

  @ApiProperty({ type: [String] })
  jobs!: readonly string[];

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ description: '0 while it runs' })
  duration_ms!: number;

  @ApiProperty({ type: Number, nullable: true, description: 'Entries to be warmed; null until counted' })
  total!: number | null;

  @ApiProperty({ description: 'Entries that were loaded and stored' })
  warmed!: number;

  @ApiProperty({ description: 'Entries that were fresh already' })
  skipped!: number;

  @ApiProperty({ description: 'Entries that nobody reads, which a scheduled run leaves alone' })
  unread!: number;

  @ApiProperty({ description: 'Entries that another instance had done before it was gone' })
  resumed!: number;

  @ApiProperty()
  failed!: number;

  @ApiProperty({ description: 'Entries that were not begun when the run was cut' })
  left!: number;

  @ApiProperty({ type: [String], description: 'Jobs that failed, at most 50; the log says why' })
  failed_jobs!: string[];
}

export class WarmRunListDto {
  @ApiProperty({ type: [WarmRunDto], description: 'The last 20 of this instance, the latest first' })
  runs!: readonly WarmRunDto[];
}

export class InvalidationAnswerDto {
  @ApiProperty()
  message!: string;

  @ApiProperty({ type: [String] })
  tags!: string[];

  @ApiProperty({ type: [String] })
  keys!: string[];

  @ApiProperty({ description: 'Redis has done it: later reads do not see what was there before' })
  applied!: boolean;

  @ApiProperty({ description: 'Redis is away: it is done before what it concerns is read from Redis again' })
  queued!: boolean;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;
}

export class ClearJobDto {
  @ApiProperty({ format: 'uuid' })
  job_id!: string;

  @ApiProperty()
  pattern!: string;

  @ApiProperty()
  dry_run!: boolean;

  @ApiProperty({ enum: ['running', 'done', 'cancelled', 'failed'] })
  status!: string;

  @ApiProperty({ description: 'Keys of Redis that were looked at' })
  scanned!: number;

  @ApiProperty()
  matched!: number;

  @ApiProperty()
  removed!: number;

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ended_at!: string | null;
}

export class PolicyDto {
  @ApiProperty()
  name!: string;

  @ApiProperty({ enum: ['shared', 'redis', 'local'] })
  tier!: string;

  @ApiProperty()
  ttl_ms!: number;

  @ApiProperty()
  stale_ms!: number;

  @ApiProperty()
  negative_ttl_ms!: number;

  @ApiProperty()
  jitter!: number;

  @ApiProperty()
  refresh_ahead_fraction!: number;

  @ApiProperty({ type: [String] })
  tags!: readonly string[];
}

export class PolicyListDto {
  @ApiProperty({ type: [PolicyDto] })
  policies!: readonly PolicyDto[];
}
