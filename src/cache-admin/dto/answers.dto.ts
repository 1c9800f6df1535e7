import { ApiProperty } from '@nestjs/swagger';
import { warmTriggers } from '../../cache';

export class WarmAnswerDto {
  @ApiProperty({ example: '5 entries warmed, 2 fresh already' })
  message!: string;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ type: [String], example: ['agents', 'models', 'settings'] })
  warmed_categories!: readonly string[];

  @ApiProperty({ format: 'uuid' })
  run_id!: string;

  @ApiProperty({ type: 'integer', description: 'Entries that were loaded and stored', example: 5 })
  warmed!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  failed!: number;

  @ApiProperty({ type: 'integer', description: 'Entries that were fresh already', example: 2 })
  skipped!: number;

  @ApiProperty({ example: 84 })
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

  @ApiProperty({ type: 'integer', description: 'Entries of all jobs', example: 12 })
  total!: number;

  @ApiProperty({ type: [WarmPreviewJobDto], description: 'In the order in which they would be warmed' })
  jobs!: readonly WarmPreviewJobDto[];

  @ApiProperty({
    type: [String],
    description: 'Jobs that cannot say what they would load; the log says why',
    example: [],
  })
  failed_jobs!: readonly string[];
}

export class WarmFailureDto {
  @ApiProperty({ description: 'A job, or one of its entries', example: 'agents:list' })
  job!: string;

  @ApiProperty({
    description: 'In our words: what a source has thrown is in the log',
    example: 'answered 500',
  })
  reason!: string;

  @ApiProperty({ type: 'integer', description: 'Entries of the job that failed for this reason', example: 1 })
  count!: number;
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

  @ApiProperty({ type: [String], example: ['agents', 'api_endpoints'] })
  categories!: readonly string[];

  @ApiProperty({ type: [String], example: ['agents:list'] })
  jobs!: readonly string[];

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ description: '0 while it runs', example: 84 })
  duration_ms!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Entries to be warmed; null until counted',
    example: 7,
  })
  total!: number | null;

  @ApiProperty({ type: 'integer', description: 'Entries that were loaded and stored', example: 5 })
  warmed!: number;

  @ApiProperty({ type: 'integer', description: 'Entries that were fresh already', example: 2 })
  skipped!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Entries that nobody reads, which a scheduled run leaves alone',
    example: 0,
  })
  unread!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Entries that another instance had done before it was gone',
    example: 0,
  })
  resumed!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  failed!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Entries that were not begun when the run was cut',
    example: 0,
  })
  left!: number;

  @ApiProperty({ type: [String], description: 'Jobs that failed, at most 50', example: [] })
  failed_jobs!: string[];

  @ApiProperty({ type: [WarmFailureDto], description: 'Why, at most 50; each reason of a job once' })
  failures!: WarmFailureDto[];
}

export class WarmRunListDto {
  @ApiProperty({ type: [WarmRunDto], description: 'The last 20 of this instance, the latest first' })
  runs!: readonly WarmRunDto[];
}

export class InvalidationAnswerDto {
  @ApiProperty({ example: '2 tags and 0 keys invalidated' })
  message!: string;

  @ApiProperty({ type: [String], example: ['api', 'models'] })
  tags!: string[];

  @ApiProperty({ type: [String], example: [] })
  keys!: string[];

  @ApiProperty({ description: 'Redis has done it: later reads do not see what was there before' })
  applied!: boolean;

  @ApiProperty({ description: 'Redis is away: it is done before what it concerns is read from Redis again' })
  queued!: boolean;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;
}

export class ClearJobDto {
  @ApiProperty({ format: 'uuid', example: '4f1c2a9e-1f0b-4b7c-9a53-0a4f5f3f2f11' })
  job_id!: string;

  @ApiProperty({ example: 'agents:*' })
  pattern!: string;

  @ApiProperty({ example: false })
  dry_run!: boolean;

  @ApiProperty({ enum: ['running', 'done', 'cancelled', 'failed'] })
  status!: string;

  @ApiProperty({ type: 'integer', description: 'Keys of Redis that were looked at', example: 1500 })
  scanned!: number;

  @ApiProperty({ type: 'integer', example: 40 })
  matched!: number;

  @ApiProperty({ type: 'integer', example: 40 })
  removed!: number;

  @ApiProperty({ format: 'date-time' })
  started_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ended_at!: string | null;
}

export class ClearedDto {
  @ApiProperty({ example: 'everything of this namespace is cleared' })
  message!: string;

  @ApiProperty({ description: 'Redis has done it' })
  applied!: boolean;

  @ApiProperty({ description: 'Redis is away: it is done before Redis is read again', example: false })
  queued!: boolean;

  @ApiProperty({ format: 'date-time' })
  timestamp!: string;
}

export class PolicyPlacesDto {
  @ApiProperty({
    type: 'integer',
    description: 'Routes and methods of the application under the policy',
    example: 8,
  })
  total!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Of them those with a TTL of their own: `ttl_ms` is not theirs',
    example: 7,
  })
  own_ttl!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Of them those with a stale window of their own: `stale_ms` is not theirs',
    example: 5,
  })
  own_stale!: number;
}

export class PolicyDto {
  @ApiProperty({ example: 'api' })
  name!: string;

  @ApiProperty({ enum: ['shared', 'redis', 'local'] })
  tier!: string;

  @ApiProperty({ example: 300000 })
  ttl_ms!: number;

  @ApiProperty({ example: 300000 })
  stale_ms!: number;

  @ApiProperty({ example: 0 })
  negative_ttl_ms!: number;

  @ApiProperty({ example: 0.05 })
  jitter!: number;

  @ApiProperty({ example: 0.8 })
  refresh_ahead_fraction!: number;

  @ApiProperty({ type: [String], example: ['api'] })
  tags!: readonly string[];

  @ApiProperty({
    description:
      'Whether the settings (`cache.policies`) have set `ttl_ms` or `stale_ms`. Routes and methods that gave their own keep that one.',
  })
  overridden!: boolean;

  @ApiProperty({ description: 'Who follows an override, and who does not' })
  places!: PolicyPlacesDto;
}

export class PolicyListDto {
  @ApiProperty({ type: [PolicyDto] })
  policies!: readonly PolicyDto[];
}
