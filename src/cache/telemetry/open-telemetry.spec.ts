import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { settled } from '../../../test/fakes/fake-clock';
import { cachesUnderTest, exactPolicy } from '../../../test/fakes/cache-under-test';
import { OpenTelemetryMetrics } from './open-telemetry-metrics';
import { OpenTelemetryTracer } from './open-telemetry-tracer';

describe('OpenTelemetry', () => {
  const make = cachesUnderTest();
  const policy = exactPolicy({ ttlMs: 1_000, staleMs: 1_000 });
  afterEach(() => {
    trace.disable();
    metrics.disable();
    context.disable();
  });

  describe('spans', () => {
    const exporter = new InMemorySpanExporter();
    beforeEach(() => {
      exporter.reset();
      trace.setGlobalTracerProvider(
        new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
      );
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    });
    const spans = (): unknown[] =>
      exporter.getFinishedSpans().map(({ name, attributes, status }) => [name, attributes, status.code]);

    it('are there for loads, within the span of the caller and around those of the loader', async () => {
      const { cache } = make({ tracer: new OpenTelemetryTracer() });
      const tracer = trace.getTracer('test');
      await tracer.startActiveSpan('request', async request => {
        await cache.getOrSet('k', () => tracer.startActiveSpan('query', query => query.end()), { policy });
        request.end();
      });
      const [query, load, request] = exporter.getFinishedSpans();
      expect([query!.name, load!.name, request!.name]).toEqual(['query', 'cache.load', 'request']);
      expect(query!.parentSpanContext?.spanId).toBe(load!.spanContext().spanId);
      expect(load!.parentSpanContext?.spanId).toBe(request!.spanContext().spanId);
      expect(load!.attributes).toEqual({ 'cache.policy': 'exact', 'cache.refresh': false });
    });

    it('are not there for hits', async () => {
      const { cache } = make({ tracer: new OpenTelemetryTracer() });
      await cache.getOrSet('k', () => 1, { policy });
      exporter.reset();
      await cache.getOrSet('k', () => 1, { policy });
      expect(spans()).toEqual([]);
    });

    it('say which load was a refresh, which failed, and how much was invalidated', async () => {
      const { cache, clock } = make({ tracer: new OpenTelemetryTracer() });
      await cache.getOrSet('k', () => 1, { policy });
      await clock.advance(1_500);
      await cache.getOrSet('k', () => 2, { policy });
      await settled();
      const fails = (): never => {
        throw new Error('source');
      };
      await expect(cache.getOrSet('e', fails, { policy })).rejects.toThrow('source');
      await cache.invalidate({ keys: ['k'], tags: ['a', 'b'] });
      const of = (refresh: boolean): object => ({ 'cache.policy': 'exact', 'cache.refresh': refresh });
      expect(spans()).toEqual([
        ['cache.load', of(false), 0],
        ['cache.load', of(true), 0],
        ['cache.load', of(false), 2],
        ['cache.invalidate', { 'cache.keys': 1, 'cache.tags': 2 }, 0],
      ]);
      expect(exporter.getFinishedSpans()[2]!.events[0]!.attributes!['exception.message']).toBe('source');
    });
  });

  it('without an SDK everything works as before, and a hit does nothing for it, not even an event', async () => {
    const span = jest.spyOn(OpenTelemetryTracer.prototype, 'span');
    const { cache } = make({ tracer: new OpenTelemetryTracer() });
    const telemetry = new OpenTelemetryMetrics(cache);
    expect(await cache.getOrSet('k', () => 1, { policy })).toBe(1);
    expect(span).toHaveBeenCalledTimes(1);
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(await cache.getOrSet('k', () => 1, { policy })).toBe(1);
    expect(span).toHaveBeenCalledTimes(1);
    expect(cache.events.heard('read')).toBe(false);
    telemetry.stop();
    span.mockRestore();
  });

  it('metrics are the counts of the cache, and end with it', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
    const { cache, clock } = make();
    const telemetry = new OpenTelemetryMetrics(cache);
    await cache.getOrSet('k', () => clock.advance(250).then(() => 1), { policy });
    await cache.getOrSet('k', () => 1, { policy });
    const collected = async (): Promise<Map<string, unknown[]>> => {
      exporter.reset();
      await provider.forceFlush();
      return new Map(
        exporter
          .getMetrics()
          .flatMap(({ scopeMetrics }) => scopeMetrics)
          .flatMap(scope => scope.metrics)
          .map(({ descriptor, dataPoints }) => [
            descriptor.name,
            dataPoints.map(({ attributes, value }) => [Object.values(attributes), value]),
          ]),
      );
    };
    const now = await collected();
    expect(now.get('cache.requests')).toEqual(
      expect.arrayContaining([
        [['exact', 'miss'], 1],
        [['exact', 'l1_hit'], 1],
        [['exact', 'error'], 0],
      ]),
    );
    expect(now.get('cache.misses')).toContainEqual([['exact', 'cold'], 1]);
    expect(now.get('cache.loads')).toEqual([[['exact'], 1]]);
    expect(now.get('cache.l1.entries')).toEqual([[[], 1]]);
    expect(now.get('cache.load.duration')).toEqual([
      [['exact', false, false], expect.objectContaining({ count: 1, sum: 0.25 })],
    ]);
    telemetry.stop();
    await cache.getOrSet('k2', () => 1, { policy });
    // What was last told, and not what has been counted since.
    expect((await collected()).get('cache.loads')).toEqual([[['exact'], 1]]);
    await provider.shutdown();
  });
});
