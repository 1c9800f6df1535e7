import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { SystemClock } from '../../cache';
import { AppConfig } from '../../config/app-config';
import { ProblemException } from '../../http/problem.exception';
import { HardwareCountsService } from '../hardware-counts.service';
import { HardwareService } from '../hardware.service';
import { eventText } from './server-sent-events';
import { StreamHub } from './stream-hub';

/** Seconds after which a client that found no place may ask again. */
const retryAfterSeconds = 30;

/** The stream of this machine's metrics. It ends before the server is told to close: an endless answer would hold it up. */
@Injectable()
export class MetricsStream implements OnModuleDestroy {
  readonly #log = new Logger('Hardware');
  readonly #hub: StreamHub;
  #hasFailed = false;

  constructor(
    private readonly config: AppConfig,
    private readonly hardware: HardwareService,
    { stream: counts }: HardwareCountsService,
  ) {
    this.#hub = new StreamHub({
      maxClients: config.hardware.streamMaxClients,
      clock: new SystemClock(),
      counts,
      read: () => this.#read(),
      onError: error => this.#failed(error),
    });
  }

  /**
   * Makes a response a stream of events.
   * @throws ProblemException 503 when every place is taken, or the application is shutting down
   */
  join(response: ServerResponse, intervalSeconds: number): void {
    if (this.#hub.join(response, intervalSeconds)) return;
    if (this.#hub.isClosed)
      throw new ProblemException(503, 'SERVICE_UNAVAILABLE', undefined, 'The application is shutting down.');
    throw new ProblemException(
      503,
      'STREAMS_TOO_MANY',
      'Too many clients',
      `The stream has ${this.config.hardware.streamMaxClients} places, and all are taken.`,
      undefined,
      { 'Retry-After': String(retryAfterSeconds) },
    );
  }

  async onModuleDestroy(): Promise<void> {
    await this.#hub.close();
  }

  async #read(): Promise<string> {
    const metrics = await this.hardware.metrics({
      disk: true,
      network: true,
      gpu: false,
      processes: false,
      fresh: true,
    });
    if (this.#hasFailed) this.#log.log('the machine is read for the stream again');
    this.#hasFailed = false;
    return eventText('metrics', metrics, String(Date.parse(metrics.timestamp)));
  }

  #failed(error: unknown): void {
    if (!this.#hasFailed) this.#log.warn(`the machine could not be read for the stream: ${String(error)}`);
    this.#hasFailed = true;
  }
}
