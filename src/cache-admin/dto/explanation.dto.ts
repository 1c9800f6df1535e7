import { ApiProperty } from '@nestjs/swagger';
import type { Explanation } from '../../cache';

class DependencyDto {
  @ApiProperty({ enum: ['tag', 'namespace', 'key'] })
  kind!: string;

  @ApiProperty({ example: 'agents' })
  name!: string;

  @ApiProperty({ nullable: true, type: Boolean, description: 'null: Redis is away, nobody can say' })
  valid!: boolean | null;
}

class ExplainedEntryDto {
  @ApiProperty({ enum: ['l1', 'l2'] })
  tier!: string;

  @ApiProperty({ enum: ['shared', 'redis', 'local'], description: 'Where its policy keeps it' })
  home!: string;

  @ApiProperty({ description: 'Whether a read would get it now' })
  served!: boolean;

  @ApiProperty({
    nullable: true,
    enum: ['expired', 'invalidated', 'gate_closed', 'suspect', 'pending_invalidation', 'unreadable'],
    description: 'Why it is not served',
    example: null,
  })
  why!: string | null;

  @ApiProperty({ nullable: true, type: String, description: 'What is wrong with its bytes', example: null })
  fault!: string | null;

  @ApiProperty({ example: 2400 })
  age_ms!: number;

  @ApiProperty({ description: 'Fresh life left; negative when it is over', example: 27600 })
  fresh_ms!: number;

  @ApiProperty({ description: 'Life left, stale window included; negative when it is over', example: 57600 })
  stale_ms!: number;

  @ApiProperty({ description: 'A cached "there is nothing"' })
  negative!: boolean;

  @ApiProperty({ type: 'integer', example: 1480 })
  bytes!: number;

  @ApiProperty({ type: [DependencyDto] })
  depends_on!: DependencyDto[];
}

class LeaseDto {
  @ApiProperty({ description: 'This instance holds it' })
  here!: boolean;

  @ApiProperty({ example: 1600 })
  remaining_ms!: number;
}

class GateDto {
  @ApiProperty()
  open!: boolean;

  @ApiProperty({ nullable: true, type: Number, example: 310 })
  age_ms!: number | null;

  @ApiProperty({ nullable: true, type: Number, example: 1 })
  lag_ms!: number | null;
}

export class ExplanationDto {
  @ApiProperty({ example: 'agents:list|' })
  key!: string;

  @ApiProperty({ type: [ExplainedEntryDto] })
  entries!: ExplainedEntryDto[];

  @ApiProperty({ nullable: true, type: LeaseDto, description: 'Who loads it' })
  lease!: LeaseDto | null;

  @ApiProperty({ type: 'integer', description: 'Loads of the key under way in this process', example: 0 })
  loads_here!: number;

  @ApiProperty({ type: GateDto })
  gate!: GateDto;

  @ApiProperty({ description: 'An invalidation of the key waits for Redis' })
  pending_invalidation!: boolean;

  @ApiProperty({ description: 'False: Redis is away or off, and only this process was looked at' })
  redis!: boolean;
}

/** Milliseconds are whole on the wire. */
export function explanationDto(explanation: Explanation): ExplanationDto {
  const { lease, gate } = explanation;
  return {
    key: explanation.key,
    entries: explanation.entries.map(entry => ({
      tier: entry.tier,
      home: entry.home,
      served: entry.served,
      why: entry.why ?? null,
      fault: entry.fault ?? null,
      age_ms: Math.round(entry.ageMs),
      fresh_ms: Math.round(entry.freshMs),
      stale_ms: Math.round(entry.staleMs),
      negative: entry.negative,
      bytes: entry.bytes,
      depends_on: entry.dependsOn.map(({ kind, name, valid }) => ({ kind, name, valid: valid ?? null })),
    })),
    lease: lease ? { here: lease.here, remaining_ms: lease.remainingMs } : null,
    loads_here: explanation.loadsHere,
    gate: {
      open: gate.open,
      age_ms: gate.ageMs === null ? null : Math.round(gate.ageMs),
      lag_ms: gate.lagMs === null ? null : Math.round(gate.lagMs),
    },
    pending_invalidation: explanation.pendingInvalidation,
    redis: explanation.redis,
  };
}
