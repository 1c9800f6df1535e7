import { ApiProperty } from '@nestjs/swagger';
import { capacityResources, confidenceRatings, type Forecast, outlooks } from '../analysis/capacity';
import type { ResourcePerformance, TrendDirection } from '../analysis/performance';
import { recommendationKinds, severities } from '../analysis/recommendations';
import { resources } from '../monitoring/resources';

const analysisStates = ['ok', 'insufficient_data'] as const;
const directions = ['rising', 'falling', 'steady'] as const satisfies readonly TrendDirection[];

export class SampleCountDto {
  @ApiProperty({ type: 'integer', example: 2_880, description: 'Samples in the window' })
  count!: number;

  @ApiProperty({ type: 'integer', example: 30, description: 'Known samples that a resource needs' })
  needed!: number;

  @ApiProperty({ example: 24, description: 'Between the first and the last of them' })
  hours!: number;

  @ApiProperty({ example: 0 })
  needed_hours!: number;
}

/** What every analysis begins with. */
export class AnalysisDto {
  @ApiProperty({
    enum: analysisStates,
    example: 'ok',
    description: 'Whether there is enough to say something',
  })
  status!: (typeof analysisStates)[number];

  @ApiProperty({ example: 'host-1' })
  host!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  computed_at!: string;

  @ApiProperty({ example: 24, description: 'How far back the samples go at most' })
  window_hours!: number;

  @ApiProperty({ type: SampleCountDto })
  samples!: SampleCountDto;
}

export class TrendDto {
  @ApiProperty({ enum: directions, example: 'rising', description: 'steady when the interval holds 0' })
  direction!: TrendDirection;

  @ApiProperty({ example: 0.42, description: 'Change in an hour: the median slope (Theil–Sen)' })
  per_hour!: number;

  @ApiProperty({ example: 0.31, description: 'Lower end of its 95 % interval' })
  low!: number;

  @ApiProperty({ example: 0.55, description: 'Upper end of its 95 % interval' })
  high!: number;
}

export class ResourcePerformanceDto {
  @ApiProperty({ enum: resources, example: 'memory' })
  resource!: string;

  @ApiProperty({ type: 'integer', example: 1_440, description: 'Samples that the numbers are made of' })
  samples!: number;

  @ApiProperty({ example: 24 })
  hours!: number;

  @ApiProperty({ example: 61.2 })
  latest!: number;

  @ApiProperty({ example: 55.4 })
  mean!: number;

  @ApiProperty({ example: 55.1 })
  p50!: number;

  @ApiProperty({ example: 60.9 })
  p95!: number;

  @ApiProperty({ example: 61.3 })
  p99!: number;

  @ApiProperty({ example: 63.8 })
  max!: number;

  @ApiProperty({ type: TrendDto, nullable: true })
  trend!: TrendDto | null;
}

export class PerformanceAnalysisDto extends AnalysisDto {
  @ApiProperty({ type: [ResourcePerformanceDto] })
  resources!: ResourcePerformanceDto[];

  @ApiProperty({
    enum: resources,
    isArray: true,
    example: ['swap'],
    description: 'Too little is known of these',
  })
  unknown!: string[];
}

export class ForecastConfidenceDto {
  @ApiProperty({ example: 95, description: 'Percent of such intervals that hold the true slope' })
  level_percent!: number;

  @ApiProperty({
    enum: confidenceRatings,
    example: 'moderate',
    description: 'How far it reaches beyond what was seen: as long again, three times as long, or further',
  })
  rating!: string;

  @ApiProperty({ type: 'integer', example: 120, description: 'Medians that the line goes through' })
  points!: number;

  @ApiProperty({ example: 168, description: 'Length of the history' })
  observed_hours!: number;

  @ApiProperty({
    example:
      'With 95 % confidence the trend is between 0.8 and 1.3 points a day, from 120 medians over 168 hours.',
  })
  statement!: string;
}

export class ForecastDto {
  @ApiProperty({ enum: capacityResources, example: 'disk' })
  resource!: string;

  @ApiProperty({ enum: outlooks, example: 'growing' })
  outlook!: string;

  @ApiProperty({ example: 71.4, description: 'On the line of the trend' })
  current_percent!: number;

  @ApiProperty({
    example: 90,
    description: 'Where the monitoring raises an alert; 100 when it does not watch',
  })
  limit_percent!: number;

  @ApiProperty({ example: 1.05 })
  percent_per_day!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'date-time',
    example: '2026-01-18T16:00:00.000Z',
    description: 'When the limit is reached; null when not within `horizon_days`',
  })
  reached_at!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-01-15T07:00:00.000Z' })
  earliest_at!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'date-time',
    example: '2026-01-24T06:00:00.000Z',
    description: 'Null when it may take longer than `horizon_days`',
  })
  latest_at!: string | null;

  @ApiProperty({ type: ForecastConfidenceDto })
  confidence!: ForecastConfidenceDto;
}

export class CapacityAnalysisDto extends AnalysisDto {
  @ApiProperty({ type: 'integer', example: 365, description: 'Nothing is forecast further ahead' })
  horizon_days!: number;

  @ApiProperty({ type: [ForecastDto] })
  forecasts!: ForecastDto[];

  @ApiProperty({
    enum: capacityResources,
    isArray: true,
    example: ['swap'],
    description: 'Too little is known of these',
  })
  unknown!: string[];
}

export class RecommendationDto {
  @ApiProperty({ enum: recommendationKinds, example: 'running_full' })
  kind!: string;

  @ApiProperty({ type: String, enum: resources, nullable: true, example: 'disk' })
  resource!: string | null;

  @ApiProperty({ enum: severities, example: 'info' })
  severity!: string;

  @ApiProperty({
    example:
      'Use of the fullest disk is 71.4 % and grows by 1.05 points a day: it reaches 90 % in 18 days, at the earliest in 14 days. Free some, or enlarge it before.',
  })
  message!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    example: { current_percent: 71.4, limit_percent: 90, percent_per_day: 1.05, days: 17.7 },
    description: 'The numbers behind it',
  })
  evidence!: Record<string, number>;
}

export class RecommendationsDto extends AnalysisDto {
  @ApiProperty({
    type: [RecommendationDto],
    description: 'The most urgent first; empty when nothing follows',
  })
  recommendations!: RecommendationDto[];
}

export function toPerformanceDto(result: ResourcePerformance): ResourcePerformanceDto {
  const { trend } = result;
  return {
    resource: result.resource,
    samples: result.samples,
    hours: shown(result.hours),
    latest: shown(result.latest),
    mean: shown(result.mean),
    p50: shown(result.p50),
    p95: shown(result.p95),
    p99: shown(result.p99),
    max: shown(result.max),
    trend: trend && {
      direction: trend.direction,
      per_hour: shown(trend.perHour),
      low: shown(trend.low),
      high: shown(trend.high),
    },
  };
}

export function toForecastDto(forecast: Forecast, computedAtMs: number): ForecastDto {
  const { confidence, low, high } = forecast;
  const at = (hours: number | null): string | null =>
    hours === null ? null : new Date(computedAtMs + hours * 3_600_000).toISOString();
  const hours = shown(confidence.hours);
  return {
    resource: forecast.resource,
    outlook: forecast.outlook,
    current_percent: shown(forecast.current),
    limit_percent: forecast.limit,
    percent_per_day: shown(forecast.perDay),
    reached_at: at(forecast.reachedInHours),
    earliest_at: at(forecast.earliestInHours),
    latest_at: at(forecast.latestInHours),
    confidence: {
      level_percent: 95,
      rating: confidence.rating,
      points: confidence.points,
      observed_hours: hours,
      statement: `With 95 % confidence the trend is between ${shown(low)} and ${shown(high)} points a day, from ${confidence.points} medians over ${hours} hours.`,
    },
  };
}

/** Four digits: more are not in the samples. */
function shown(value: number): number {
  return Number(value.toPrecision(4));
}
