import { Body, Controller, Get, Header, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, ByActor } from '../auth/actor.decorator';
import { AdminOnly } from '../auth/admin-only.decorator';
import { AuditLog } from '../auth/audit-log';
import { NeverCached } from '../cache';
import { BreakerRegistry } from './breaker-registry';
import { BreakerListDto, BreakersResetDto, ResetBreakersDto, toBreakerListDto } from './dto/breaker.dto';

/** The circuit breakers of this instance: each has its own. */
@ApiTags('health')
@NeverCached('a breaker is asked for as it is now')
@Controller('health/circuit-breakers')
export class CircuitBreakersController {
  constructor(
    private readonly breakers: BreakerRegistry,
    private readonly audit: AuditLog,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The circuit breakers of this instance' })
  @ApiOkResponse({ type: BreakerListDto })
  list(): BreakerListDto {
    return toBreakerListDto(this.breakers.all());
  }

  @Post('reset')
  @HttpCode(200)
  @AdminOnly('health:write')
  @ApiOperation({
    summary: 'Close one circuit breaker of this instance, or all of them',
    description: 'The next calls go out. Where what they ask is still away, they open it again.',
  })
  @ApiBody({ type: ResetBreakersDto, required: false })
  @ApiOkResponse({ type: BreakersResetDto })
  @ApiResponse({
    status: 400,
    description: 'BODY_INVALID, BODY_INVALID_JSON, VALIDATION_FAILED, UNKNOWN_FIELD',
  })
  @ApiResponse({ status: 404, description: 'BREAKER_NOT_FOUND' })
  @ApiResponse({ status: 415, description: 'UNSUPPORTED_MEDIA_TYPE' })
  reset(@Body() body: ResetBreakersDto, @ByActor() actor: Actor): BreakersResetDto {
    const reset = this.breakers.reset(body.name);
    this.audit.record(actor, {
      action: 'breakers_reset',
      target: { breakers: reset },
      count: reset.length,
      result: 'applied',
    });
    return { ...toBreakerListDto(this.breakers.all()), reset };
  }
}
