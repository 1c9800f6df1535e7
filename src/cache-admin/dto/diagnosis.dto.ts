import { ApiProperty } from '@nestjs/swagger';
import { adviceKinds, type AdviceKind, type Diagnosis, type FamilyReport } from '../../cache';

const counts = { type: 'object', additionalProperties: { type: 'integer' } } as const;
const measures = ['hit_rate', 'user_visible_hit_rate', 'l1_hit_rate', 'keys'] as const;

export class PredictionDto {
  @ApiProperty({ enum: measures })
  measure!: (typeof measures)[number];

  @ApiProperty({ example: 0.61 })
  now!: number;

  @ApiProperty({ description: 'What it would be, with everything else as it was', example: 0.78 })
  then!: number;
}

export class AdviceDto {
  @ApiProperty({ enum: adviceKinds })
  kind!: AdviceKind;

  @ApiProperty({ type: String, nullable: true, description: 'Null for the cache as a whole', example: 'api' })
  policy!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'A route, method, family of keys or warm-up job',
    example: 'agents:list',
  })
  head!: string | null;

  @ApiProperty({ example: 'A TTL of 60 s instead of 30 s would raise the hit rate from 61 % to 78 %.' })
  message!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { oneOf: [{ type: 'number' }, { type: 'string' }] },
    example: { reads: 480, ttl_ms: 30000 },
  })
  evidence!: Readonly<Record<string, number | string>>;

  @ApiProperty({ type: PredictionDto, nullable: true })
  prediction!: PredictionDto | null;
}

export class LifePointDto {
  @ApiProperty({ example: 60000 })
  ttl_ms!: number;

  @ApiProperty({ description: 'Share of the sampled reads that would have been fresh hits', example: 0.78 })
  hit_rate!: number;

  @ApiProperty({ description: 'Share that would have been answered stale', example: 0.04 })
  stale_rate!: number;
}

export class FamilyDto {
  @ApiProperty({
    description: 'A route or method by the head of its keys; otherwise what its keys begin with',
    example: 'agents:list',
  })
  head!: string;

  @ApiProperty({ example: 'api' })
  policy!: string;

  @ApiProperty({ example: 30000 })
  ttl_ms!: number;

  @ApiProperty({ type: 'integer', description: 'Keys lately read, scaled up from the sample', example: 14 })
  keys!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Reads of sampled keys; what is longer ago than half an hour counts half',
    example: 480,
  })
  reads!: number;

  @ApiProperty({ example: 0.61 })
  hit_rate!: number;

  @ApiProperty({ ...counts, example: { l1_hit: 293, miss: 187 } })
  outcomes!: Readonly<Record<string, number>>;

  @ApiProperty({ ...counts, example: { cold: 14, expired: 173 } })
  miss_causes!: Readonly<Record<string, number>>;

  @ApiProperty({ type: [LifePointDto], description: 'The same reads played through with other lives' })
  life_curve!: LifePointDto[];

  @ApiProperty({
    type: 'integer',
    description: 'Loads of what had been loaded before, because its life was over or nearly',
    example: 120,
  })
  reloads!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Share of them that brought the same again; null for fewer than 20',
    example: 0.93,
  })
  unchanged_share!: number | null;
}

export class SizePointDto {
  @ApiProperty({ type: 'integer', example: 5000 })
  entries!: number;

  @ApiProperty({ example: 0.74 })
  hit_rate!: number;
}

export class DiagnosisDto {
  @ApiProperty({ format: 'date-time' })
  timestamp!: string;

  @ApiProperty({ type: [AdviceDto], description: 'What would help, the largest gain first' })
  advice!: AdviceDto[];

  @ApiProperty({
    type: [FamilyDto],
    description: 'Where hits and misses come from: what is read most, first',
  })
  families!: FamilyDto[];

  @ApiProperty({
    type: [SizePointDto],
    description: 'Shares of reads that L1 would answer with so many entries',
  })
  l1_size_curve!: SizePointDto[];

  @ApiProperty({
    type: [String],
    description: 'What the numbers do not mean',
    example: ['The hit rate of the Redis server counts only what L1 let through.'],
  })
  notes!: string[];
}

export function diagnosisDto(diagnosis: Diagnosis, timestamp: string): DiagnosisDto {
  return {
    timestamp,
    advice: diagnosis.advice.map(({ kind, policy = null, head = null, message, evidence, prediction }) => ({
      kind,
      policy,
      head,
      message,
      evidence,
      prediction: prediction
        ? { ...prediction, now: round(prediction.now), then: round(prediction.then) }
        : null,
    })),
    families: diagnosis.families.map(familyDto),
    l1_size_curve: diagnosis.sizes.map(({ entries, hitRate }) => ({ entries, hit_rate: round(hitRate) })),
    notes: [...diagnosis.notes],
  };
}

function familyDto({
  head,
  policy,
  ttlMs,
  keys,
  reads,
  hitRate,
  outcomes,
  causes,
  life,
}: FamilyReport): FamilyDto {
  return {
    head,
    policy,
    ttl_ms: ttlMs,
    keys,
    reads,
    hit_rate: round(hitRate),
    outcomes,
    miss_causes: causes,
    life_curve: life.curve.map(point => ({
      ttl_ms: point.ttlMs,
      hit_rate: round(point.hitRate),
      stale_rate: round(point.staleRate),
    })),
    reloads: Math.round(life.reloads),
    unchanged_share: life.unchangedShare === undefined ? null : round(life.unchangedShare),
  };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
