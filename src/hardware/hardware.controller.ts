import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CacheApiResponse } from '../cache';
import { hardwareCache } from './cache';
import { HardwareHealthDto, HardwareMetricsDto, HardwareStatusDto } from './dto/hardware-response.dto';
import { MetricsQueryDto } from './dto/metrics-query.dto';
import { ProcessListDto } from './dto/process-response.dto';
import { ProcessesQueryDto } from './dto/processes-query.dto';
import { HardwareService } from './hardware.service';
import { processLimits } from './process-list';

@ApiTags('hardware')
@Controller('hardware')
export class HardwareController {
  constructor(private readonly hardware: HardwareService) {}

  @Get('health')
  @CacheApiResponse(hardwareCache.health)
  @ApiOperation({ summary: 'Health score of this host with its reasons' })
  @ApiOkResponse({ type: HardwareHealthDto })
  health(): Promise<HardwareHealthDto> {
    return this.hardware.health();
  }

  @Get('status')
  @CacheApiResponse(hardwareCache.status)
  @ApiOperation({ summary: 'This host in one line' })
  @ApiOkResponse({ type: HardwareStatusDto })
  status(): Promise<HardwareStatusDto> {
    return this.hardware.status();
  }

  @Get('metrics')
  @CacheApiResponse(hardwareCache.metrics)
  @ApiOperation({ summary: 'CPU, memory and, as asked for, disks, network, GPUs and numbers of processes' })
  @ApiOkResponse({ type: HardwareMetricsDto })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE, QUERY_INVALID',
  })
  metrics(@Query() query: MetricsQueryDto): Promise<HardwareMetricsDto> {
    return this.hardware.metrics({
      disk: query.include_disk ?? true,
      network: query.include_network ?? true,
      gpu: query.include_gpu ?? false,
      processes: query.include_processes ?? false,
    });
  }

  @Get('processes')
  @CacheApiResponse(hardwareCache.processes)
  @ApiOperation({ summary: 'Processes of this host' })
  @ApiOkResponse({ type: ProcessListDto })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE, QUERY_INVALID',
  })
  @ApiResponse({ status: 503, description: 'PROCESSES_UNREADABLE' })
  processes(@Query() query: ProcessesQueryDto): Promise<ProcessListDto> {
    return this.hardware.processes({
      sortBy: query.sort_by ?? 'cpu',
      limit: query.limit ?? processLimits.defaultLimit,
      minCpuPercent: query.min_cpu_percent ?? 0,
      minMemoryMb: query.min_memory_mb ?? 0,
    });
  }
}
