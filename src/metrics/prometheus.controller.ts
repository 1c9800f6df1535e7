import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { NeverCached } from '../cache';
import { PrometheusRegistry } from './prometheus-registry';

/** For Prometheus, outside of the API's prefix. */
@ApiTags('system')
@NeverCached('a scrape asks for the counts of now')
@Controller('metrics')
export class PrometheusController {
  constructor(private readonly registry: PrometheusRegistry) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Metrics in the text format of Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({
    schema: { type: 'string', example: 'cache_requests_total{policy="api",outcome="l1_hit"} 71' },
  })
  scrape(@Res({ passthrough: true }) response: Response): Promise<string> {
    response.setHeader('Content-Type', this.registry.contentType);
    return this.registry.text();
  }
}
