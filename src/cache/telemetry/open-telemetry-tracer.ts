import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { SpanName, Tracer } from '../core';

/** The name under which OpenTelemetry knows what is traced and measured here. */
export const instrumentationName = 'sutazai-cache';

/**
 * Spans by OpenTelemetry, within whatever span is active. Where no SDK is registered a span is an empty object, and there is
 * one for each load and each invalidation, not for each hit.
 */
export class OpenTelemetryTracer implements Tracer {
  span<T>(
    name: SpanName,
    attributes: Readonly<Record<string, string | number | boolean>>,
    run: () => Promise<T>,
  ): Promise<T> {
    return trace.getTracer(instrumentationName).startActiveSpan(name, { attributes }, async span => {
      try {
        return await run();
      } catch (error) {
        span.recordException(error instanceof Error ? error : String(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}
