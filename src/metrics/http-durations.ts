import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { PrometheusRegistry } from './prometheus-registry';

type RoutedRequest = IncomingMessage & {
  route?: { path?: unknown; methods?: Readonly<Record<string, boolean>> };
};

/**
 * Times every answered request, at the server and not in an interceptor: those that guards, the router or the body reader
 * refuse are answers too. Requests of the application to itself, such as warming, do not come through the server.
 */
@Injectable()
export class HttpDurations implements OnModuleInit, OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly registry: PrometheusRegistry,
  ) {}

  onModuleInit(): void {
    this.server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    this.server?.prependListener('request', this.onRequest);
  }

  onApplicationShutdown(): void {
    this.server?.off('request', this.onRequest);
  }

  private readonly onRequest = (request: RoutedRequest, response: ServerResponse): void => {
    const startedAt = performance.now();
    response.once('finish', () => {
      const labels = { method: request.method ?? '', route: routeOf(request), status: response.statusCode };
      this.registry.httpDuration.observe(labels, (performance.now() - startedAt) / 1_000);
    });
  };
}

/**
 * The template of the route that answered, as `/api/v1/agents/:id`; never the path itself, of which there are endlessly many.
 * Middleware is registered as a route of all methods and is none.
 */
export function routeOf({ route }: RoutedRequest): string {
  const isMiddleware = route?.methods?.['_all'] === true || route?.methods?.['trace'] === true;
  return typeof route?.path === 'string' && !isMiddleware ? route.path : 'unmatched';
}
