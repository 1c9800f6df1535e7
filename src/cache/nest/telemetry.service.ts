import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { TieredCache } from '../core';
import { OpenTelemetryMetrics } from '../telemetry/open-telemetry-metrics';

/** Tells OpenTelemetry what the cache counts, for as long as the application runs. */
@Injectable()
export class TelemetryService implements OnApplicationShutdown {
  private readonly metrics: OpenTelemetryMetrics;

  constructor(cache: TieredCache) {
    this.metrics = new OpenTelemetryMetrics(cache);
  }

  onApplicationShutdown(): void {
    this.metrics.stop();
  }
}
