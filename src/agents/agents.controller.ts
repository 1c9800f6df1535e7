import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { AdminOnly } from '../auth/admin-only.decorator';
import { CacheApiResponse, InvalidatesCache, WarmUp } from '../cache';
import { expectedVersions, requiredVersions, versionTag } from '../http/if-match';
import { agentIdPattern } from './agent-fields';
import { AgentOrAdmin } from './agent-or-admin.decorator';
import { AgentsService } from './agents.service';
import { agentsCache, agentWrites } from './cache';
import { AgentDto, AgentListDto, AgentTokenDto, CreatedAgentDto } from './dto/agent-response.dto';
import { CreateAgentDto } from './dto/create-agent.dto';
import { HeartbeatDto } from './dto/heartbeat.dto';
import { ListAgentsQueryDto } from './dto/list-agents-query.dto';
import { UpdateAgentDto } from './dto/update-agent.dto';
import { PageSizePipe } from './page-size.pipe';

const etag = { ETag: { description: 'The version in quotes, for If-Match', schema: { type: 'string', example: '"42"' } } } as const; // prettier-ignore
const location = { Location: { description: 'Path of the agent', schema: { type: 'string', example: '/api/v1/agents/code-review-assistant' } } } as const; // prettier-ignore
const id = {
  name: 'id',
  description: '1 to 63 lower-case letters, digits and dashes; there is no agent of any other',
  schema: {
    type: 'string',
    minLength: 1,
    maxLength: 63,
    pattern: agentIdPattern.source,
    example: 'ai-agent-orchestrator',
  },
} as const;

@ApiTags('agents')
@Controller('agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @CacheApiResponse(agentsCache.list)
  @WarmUp({ category: ['agents', 'api_endpoints'], critical: true })
  @ApiOperation({ summary: 'The agents in pages, by name' })
  @ApiOkResponse({ type: AgentListDto })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, CURSOR_INVALID, QUERY_DUPLICATE, QUERY_INVALID',
  })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  list(@Query(PageSizePipe) query: ListAgentsQueryDto): Promise<AgentListDto> {
    return this.agents.list(query);
  }

  @Get(':id')
  @CacheApiResponse(agentsCache.one)
  @ApiOperation({ summary: 'One agent' })
  @ApiParam(id)
  @ApiOkResponse({ type: AgentDto, headers: etag })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  @ApiResponse({ status: 503, description: 'DATABASE_UNAVAILABLE' })
  async one(@Param('id') agentId: string, @Res({ passthrough: true }) response: Response): Promise<AgentDto> {
    return tagged(response, await this.agents.one(agentId));
  }

  @Post()
  @AdminOnly('agents:write')
  @InvalidatesCache(agentWrites.create)
  @ApiOperation({ summary: 'Create an agent, with a token for its heartbeats' })
  @ApiCreatedResponse({ type: CreatedAgentDto, headers: { ...location, ...etag } })
  @ApiResponse({ status: 400, description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({
    status: 403,
    description: 'FORBIDDEN_SCOPE (agents:write), ADMIN_LOOPBACK_ONLY, FEATURE_OFF',
  })
  @ApiResponse({ status: 409, description: 'AGENT_EXISTS, AGENT_NAME_TAKEN' })
  async create(
    @Body() body: CreateAgentDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedAgentDto> {
    const agent = tagged(response, await this.agents.create(body));
    response.setHeader('Location', `/api/v1/agents/${agent.id}`);
    return agent;
  }

  @Patch(':id')
  @AdminOnly('agents:write')
  @InvalidatesCache(agentWrites.change)
  @ApiOperation({
    summary: 'Change an agent',
    description: 'A `status` set here stands until a heartbeat, a probe or silence says otherwise.',
  })
  @ApiParam(id)
  @ApiHeader({
    name: 'If-Match',
    required: true,
    description: 'The ETag of the agent that the change is based on; several, or * for any',
    example: '"42"',
  })
  @ApiOkResponse({ type: AgentDto, headers: etag })
  @ApiResponse({
    status: 400,
    description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD, IF_MATCH_INVALID',
  })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  @ApiResponse({ status: 409, description: 'AGENT_NAME_TAKEN' })
  @ApiResponse({ status: 412, description: 'PRECONDITION_FAILED: it has changed since it was read' })
  @ApiResponse({ status: 428, description: 'PRECONDITION_REQUIRED: If-Match is missing' })
  async change(
    @Param('id') agentId: string,
    @Body() body: UpdateAgentDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const expected = requiredVersions(ifMatch, 'agent');
    return tagged(response, await this.agents.update(agentId, { ...body }, expected));
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOnly('agents:write')
  @InvalidatesCache(agentWrites.remove)
  @ApiOperation({ summary: 'Remove an agent, and its token' })
  @ApiParam(id)
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Only while the agent is as it was read with this ETag',
    example: '"42"',
  })
  @ApiNoContentResponse()
  @ApiResponse({ status: 400, description: 'IF_MATCH_INVALID' })
  @ApiResponse({
    status: 403,
    description: 'FORBIDDEN_SCOPE (agents:write), ADMIN_LOOPBACK_ONLY, FEATURE_OFF',
  })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  @ApiResponse({ status: 412, description: 'PRECONDITION_FAILED: it has changed since it was read' })
  async remove(
    @Param('id') agentId: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.agents.remove(agentId, expectedVersions(ifMatch));
  }

  @Post(':id/heartbeat')
  @HttpCode(200)
  @AgentOrAdmin('agents:write')
  @ApiOperation({
    summary: 'Say that an agent is alive',
    description:
      'With the token of the agent as key, or as administrator. Cached answers are dropped only when the status changes, so that their `last_seen_at` may be behind by ten minutes more than their Age.',
  })
  @ApiParam(id)
  @ApiBody({ type: HeartbeatDto, required: false })
  @ApiOkResponse({ type: AgentDto, headers: etag })
  @ApiResponse({
    status: 400,
    description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD, HEADER_DUPLICATE',
  })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  async heartbeat(
    @Param('id') agentId: string,
    @Body() body: HeartbeatDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    return tagged(response, await this.agents.heartbeat(agentId, body.status));
  }

  @Post(':id/token')
  @AdminOnly('agents:write')
  @InvalidatesCache(agentWrites.rotateToken)
  @ApiOperation({ summary: 'Give an agent a new token; the one before ends at once' })
  @ApiParam(id)
  @ApiCreatedResponse({ type: AgentTokenDto })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  rotateToken(@Param('id') agentId: string): Promise<AgentTokenDto> {
    return this.agents.rotateToken(agentId);
  }
}

/** The agent, with its version as the ETag of the answer. */
function tagged<T extends AgentDto>(response: Response, agent: T): T {
  response.setHeader('ETag', versionTag(agent.version));
  return agent;
}
