import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
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
import { AgentsService } from './agents.service';
import { agentsCache, tagsOfWrite } from './cache';
import { AgentDto, AgentListDto } from './dto/agent-response.dto';
import { CreateAgentDto } from './dto/create-agent.dto';
import { ListAgentsQueryDto } from './dto/list-agents-query.dto';
import { UpdateAgentDto } from './dto/update-agent.dto';

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
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, CURSOR_INVALID, QUERY_DUPLICATE',
  })
  list(@Query() query: ListAgentsQueryDto): Promise<AgentListDto> {
    return this.agents.list(query);
  }

  @Get(':id')
  @CacheApiResponse(agentsCache.one)
  @ApiOperation({ summary: 'One agent' })
  @ApiParam({ name: 'id', example: 'ai-agent-orchestrator' })
  @ApiOkResponse({ type: AgentDto })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  one(@Param('id') id: string): Promise<AgentDto> {
    return this.agents.one(id);
  }

  @Post()
  @AdminOnly('agents:write')
  @InvalidatesCache({
    tags: ({ result }: { result?: unknown }) => tagsOfWrite((result as AgentDto | undefined)?.id),
  })
  @ApiOperation({ summary: 'Create an agent' })
  @ApiCreatedResponse({
    type: AgentDto,
    headers: { Location: { description: 'Path of the agent', schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 400, description: 'BODY_INVALID, VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({ status: 409, description: 'AGENT_EXISTS, AGENT_NAME_TAKEN' })
  async create(
    @Body() body: CreateAgentDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const agent = await this.agents.create(body);
    response.setHeader('Location', `/api/v1/agents/${agent.id}`);
    return agent;
  }

  @Patch(':id')
  @AdminOnly('agents:write')
  @InvalidatesCache({
    tags: ({ params }: { params: Readonly<Record<string, string>> }) => tagsOfWrite(params['id']),
  })
  @ApiOperation({ summary: 'Change an agent' })
  @ApiOkResponse({ type: AgentDto })
  @ApiResponse({ status: 400, description: 'VALIDATION_FAILED, UNKNOWN_FIELD' })
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  @ApiResponse({ status: 409, description: 'AGENT_NAME_TAKEN' })
  change(@Param('id') id: string, @Body() body: UpdateAgentDto): Promise<AgentDto> {
    return this.agents.update(id, { ...body });
  }

  @Delete(':id')
  @HttpCode(204)
  @AdminOnly('agents:write')
  @InvalidatesCache({
    tags: ({ params }: { params: Readonly<Record<string, string>> }) => tagsOfWrite(params['id']),
  })
  @ApiOperation({ summary: 'Remove an agent' })
  @ApiNoContentResponse()
  @ApiResponse({ status: 404, description: 'AGENT_NOT_FOUND' })
  async remove(@Param('id') id: string): Promise<void> {
    await this.agents.remove(id);
  }
}
