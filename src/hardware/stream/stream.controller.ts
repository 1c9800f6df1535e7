import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { NeverCached } from '../../cache';
import { StreamQueryDto } from '../dto/stream-query.dto';
import { MetricsStream } from './metrics-stream';
import { streamHeaders } from './stream-hub';

@ApiTags('hardware')
@Controller('hardware')
export class StreamController {
  constructor(private readonly stream: MetricsStream) {}

  @Get('metrics/stream')
  @NeverCached('a stream')
  @ApiOperation({
    summary: 'The metrics of this host as Server-Sent Events',
    description:
      'An event `metrics` at once and then each interval; its data is the answer of /hardware/metrics with disks and network, its id the time of the reading in milliseconds. A client that does not keep up misses events and is told how many by an event `skipped`. What was missed while not connected is not sent again. Comments keep a quiet stream open.',
  })
  @ApiProduces('text/event-stream')
  @ApiResponse({
    status: 200,
    description: 'Events until one side ends it',
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example:
          'retry: 3000\n\nid: 1767225600000\nevent: metrics\ndata: {"timestamp":"2026-01-01T00:00:00.000Z","hostname":"host-1","cpu":{"percent":12.5}}\n\nevent: skipped\ndata: {"skipped":3}\n\n: heartbeat\n\n',
      },
    },
  })
  @ApiResponse({
    status: 400,
    description: 'VALIDATION_FAILED, UNKNOWN_FIELD, QUERY_DUPLICATE, QUERY_INVALID',
  })
  @ApiResponse({ status: 503, description: 'STREAMS_TOO_MANY, SERVICE_UNAVAILABLE' })
  events(@Query() { interval }: StreamQueryDto, @Req() request: Request, @Res() response: Response): void {
    // A HEAD is answered by the head alone: it would hold a place for ever.
    if (request.method === 'HEAD') response.writeHead(200, streamHeaders).end();
    else this.stream.join(response, interval);
  }
}
