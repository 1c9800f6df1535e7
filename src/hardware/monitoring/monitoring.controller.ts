import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, ByActor } from '../../auth/actor.decorator';
import { AdminOnly } from '../../auth/admin-only.decorator';
import { AuditLog } from '../../auth/audit-log';
import { CacheApiResponse, CacheStaticData, InvalidatesCache } from '../../cache';
import { hardwareCache, hardwareWrites } from '../cache';
import { AlertDto, AlertListDto, ListAlertsQueryDto, toAlertDto } from '../dto/alert.dto';
import {
  ChangeMonitoringDto,
  givenFields,
  MonitoringConfigDto,
  toMonitoringChange,
  toMonitoringConfigDto,
} from '../dto/monitoring-config.dto';
import { AlertsService } from './alerts.service';
import { MonitoringService } from './monitoring.service';

@ApiTags('hardware')
@Controller('hardware')
export class MonitoringController {
  constructor(
    private readonly monitoring: MonitoringService,
    private readonly alertsOf: AlertsService,
    private readonly audit: AuditLog,
  ) {}

  @Get('monitoring/config')
  @CacheStaticData(hardwareCache.monitoringConfig)
  @ApiOperation({ summary: 'How hosts are watched: interval, thresholds and retention' })
  @ApiOkResponse({ type: MonitoringConfigDto })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async config(): Promise<MonitoringConfigDto> {
    return toMonitoringConfigDto(await this.monitoring.current());
  }

  @Post('monitoring/config')
  @HttpCode(200)
  @AdminOnly('hardware:write')
  @InvalidatesCache(hardwareWrites.changeMonitoring)
  @ApiOperation({
    summary: 'Change how hosts are watched',
    description: 'What is left out stays. Every instance follows within two seconds.',
  })
  @ApiOkResponse({ type: MonitoringConfigDto })
  @ApiResponse({
    status: 400,
    description: 'BODY_INVALID, BODY_INVALID_JSON, VALIDATION_FAILED, UNKNOWN_FIELD',
  })
  @ApiResponse({ status: 413, description: 'BODY_TOO_LARGE' })
  @ApiResponse({ status: 415, description: 'UNSUPPORTED_MEDIA_TYPE' })
  async change(@Body() body: ChangeMonitoringDto, @ByActor() actor: Actor): Promise<MonitoringConfigDto> {
    const changed = await this.monitoring.change(toMonitoringChange(body), actor.id);
    const fields = givenFields(body);
    this.audit.record(actor, {
      action: 'monitoring_change',
      target: { fields },
      count: fields.length,
      result: 'applied',
    });
    return toMonitoringConfigDto(changed);
  }

  @Get('alerts')
  @CacheApiResponse(hardwareCache.alerts)
  @ApiOperation({ summary: 'Alerts of all hosts in pages, the latest first' })
  @ApiOkResponse({ type: AlertListDto })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE, QUERY_INVALID',
  })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async alerts(@Query() { state, host, limit, before }: ListAlertsQueryDto): Promise<AlertListDto> {
    const { rows, nextBefore } = await this.alertsOf.page({ state, host, limit, before });
    return { alerts: rows.map(toAlertDto), count: rows.length, next_before: nextBefore };
  }

  @Post('alerts/:id/acknowledge')
  @HttpCode(200)
  @AdminOnly('hardware:write')
  @InvalidatesCache(hardwareWrites.acknowledgeAlert)
  @ApiOperation({
    summary: 'Say that an alert was seen',
    description:
      'It stays with the first who said so; again changes nothing. The alert stays open until it is cleared.',
  })
  @ApiParam({
    name: 'id',
    schema: { type: 'integer', minimum: 1, maximum: 999_999_999_999_999 },
    description: 'Id of the alert',
    example: 17,
  })
  @ApiOkResponse({ type: AlertDto })
  @ApiResponse({ status: 404, description: 'ALERT_NOT_FOUND' })
  async acknowledge(@Param('id') id: string, @ByActor() actor: Actor): Promise<AlertDto> {
    const alert = await this.alertsOf.acknowledge(id, actor.id);
    this.audit.record(actor, {
      action: 'alert_acknowledge',
      target: { alert: String(alert.id), host: alert.host, resource: alert.resource },
      count: 1,
      result: 'applied',
    });
    return toAlertDto(alert);
  }
}
