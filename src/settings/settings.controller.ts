import { Body, Controller, Get, Headers, Param, Patch, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AdminOnly } from '../auth/admin-only.decorator';
import { principalOf } from '../auth/principal';
import { CacheStaticData, WarmUp } from '../cache';
import { requiredVersions, versionTag } from '../http/if-match';
import { settingsCache } from './cache';
import { ChangeSettingsDto, toSettingsChange } from './dto/change-settings.dto';
import { SettingDto, SettingsDto, SettingsHistoryDto } from './dto/settings-response.dto';
import { SettingsHistoryQueryDto } from './dto/settings-history-query.dto';
import { SettingsService } from './settings.service';

const etagHeader = {
  ETag: { description: 'The version in quotes, for If-Match', schema: { type: 'string', example: '"3"' } },
} as const;

@ApiTags('settings')
@Controller('settings')
export class SettingsController {
  constructor(private readonly settings: SettingsService) {}

  @Get()
  @CacheStaticData(settingsCache.all)
  @WarmUp({ category: ['settings', 'api_endpoints'], critical: true })
  @ApiOperation({ summary: 'All settings under their version' })
  @ApiOkResponse({ type: SettingsDto, headers: etagHeader })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async all(@Res({ passthrough: true }) response: Response): Promise<SettingsDto> {
    const settings = await this.settings.all();
    response.setHeader('ETag', versionTag(settings.version));
    return settings;
  }

  @Get('history')
  @AdminOnly('settings:write')
  @ApiOperation({ summary: 'Who changed what and when, the latest first' })
  @ApiOkResponse({ type: SettingsHistoryDto })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE, QUERY_INVALID',
  })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  history(@Query() query: SettingsHistoryQueryDto): Promise<SettingsHistoryDto> {
    return this.settings.history(query.limit, query.before);
  }

  @Get(':key')
  @CacheStaticData(settingsCache.one)
  @ApiOperation({ summary: 'One section, or one value of it' })
  @ApiParam({
    name: 'key',
    description: 'Name of a section, or names down to one of its values, with dots between them',
    schema: {
      type: 'string',
      pattern: '^[a-z_]+(\\.[A-Za-z0-9_-]+)*$',
      example: 'performance.agents_page_size',
    },
  })
  @ApiOkResponse({ type: SettingDto })
  @ApiResponse({ status: 404, description: 'SETTING_NOT_FOUND' })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  one(@Param('key') key: string): Promise<SettingDto> {
    return this.settings.one(key);
  }

  @Patch()
  @AdminOnly('settings:write')
  @ApiOperation({
    summary: 'Change some settings',
    description:
      'In force here with the answer, and on every other instance about two and a half seconds later at most; without Redis, a minute.',
  })
  @ApiHeader({
    name: 'If-Match',
    required: true,
    description: 'The ETag of the settings that the change is based on',
    example: '"1"',
  })
  @ApiOkResponse({ type: SettingsDto, headers: etagHeader })
  @ApiResponse({
    status: 400,
    description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD, TTL_INVALID, IF_MATCH_INVALID',
  })
  @ApiResponse({ status: 412, description: 'PRECONDITION_FAILED: they have changed since they were read' })
  @ApiResponse({ status: 428, description: 'PRECONDITION_REQUIRED: If-Match is missing' })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async change(
    @Body() body: ChangeSettingsDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SettingsDto> {
    const changedBy = principalOf(request)?.id ?? 'unknown';
    const settings = await this.settings.change(
      toSettingsChange(body),
      requiredVersions(ifMatch, 'settings'),
      changedBy,
    );
    response.setHeader('ETag', versionTag(settings.version));
    return settings;
  }
}
