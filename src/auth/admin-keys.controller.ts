import { Body, Controller, Delete, Get, Param, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { type Actor, ByActor } from './actor.decorator';
import { AdminKeysService } from './admin-keys.service';
import { AdminOnly } from './admin-only.decorator';
import { AdminKeyListDto, CreatedKeyDto, CreateKeyDto, RevokedKeyDto } from './dto/admin-key.dto';

@ApiTags('admin')
@AdminOnly('keys:write')
@Controller('admin/keys')
export class AdminKeysController {
  constructor(private readonly keys: AdminKeysService) {}

  @Get()
  @ApiOperation({ summary: 'The admin keys of the database; neither keys nor digests' })
  @ApiOkResponse({ type: AdminKeyListDto })
  list(): Promise<AdminKeyListDto> {
    return this.keys.list();
  }

  @Post()
  @ApiOperation({ summary: 'Make an admin key; the answer alone shows it' })
  @ApiCreatedResponse({
    type: CreatedKeyDto,
    headers: { Location: { description: 'Path of the key', schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 400, description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({ status: 409, description: 'ADMIN_KEYS_TOO_MANY' })
  async create(
    @Body() body: CreateKeyDto,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedKeyDto> {
    const created = await this.keys.create(body.name, body.scopes, actor);
    response.setHeader('Location', `/api/v1/admin/keys/${created.id}`);
    return created;
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke an admin key, on every instance from the next request on' })
  @ApiParam({
    name: 'id',
    description: '`id` of a key, which is not a part of the key itself',
    schema: { type: 'string', pattern: '^[0-9a-f]{16}$', example: '9f86d081884c7d65' },
  })
  @ApiOkResponse({ type: RevokedKeyDto })
  @ApiAcceptedResponse({ type: RevokedKeyDto, description: 'Revoked; Redis is away and hears of it later' })
  @ApiResponse({ status: 404, description: 'ADMIN_KEY_NOT_FOUND' })
  async revoke(
    @Param('id') id: string,
    @ByActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevokedKeyDto> {
    const revoked = await this.keys.revoke(id, actor);
    if (revoked.queued) response.status(202);
    return revoked;
  }
}
