import { BrotliCompressor } from '../codec/brotli-compressor';
import { DeflateCompressor } from '../codec/deflate-compressor';
import { InlineMsgpackSerializer } from '../codec/inline-msgpack-serializer';
import { JsonSerializer } from '../codec/json-serializer';
import { MsgpackSerializer } from '../codec/msgpack-serializer';
import {
  SystemClock,
  TieredCache,
  type CachePolicy,
  type Clock,
  type CodecOptions,
  type LoadScope,
  type NearEntry,
} from '../core';
import { storedResponseSerializer } from '../http';
import { MemoryStore } from '../memory/memory-store';
import { AsyncScopes } from '../node/async-scopes';
import { NodeHash } from '../node/node-hash';
import { RedisTier } from '../redis';
import { OpenTelemetryTracer } from '../telemetry/open-telemetry-tracer';
import { cacheModuleDefaults, type CacheModuleOptions } from './cache.module-definition';

/** Puts a cache together from its real parts: memory, Redis where there is one, codecs, the async context of Node. */
export function createTieredCache(
  options: CacheModuleOptions,
  policies: readonly CachePolicy[],
  clock: Clock = new SystemClock(),
): TieredCache {
  const hash = new NodeHash();
  const { maxL1StalenessMs } = options;
  return new TieredCache(
    {
      clock,
      hash,
      local: new MemoryStore<NearEntry>(clock, {
        ...(options.l1MaxEntries !== undefined && { maxEntries: options.l1MaxEntries }),
        ...(options.l1MaxBytes !== undefined && { maxBytes: options.l1MaxBytes }),
        ...(options.l1Eviction !== undefined && { eviction: options.l1Eviction }),
      }),
      scopes: new AsyncScopes<LoadScope>(),
      tracer: new OpenTelemetryTracer(),
      codec: codecOptions(),
      ...(options.remote && {
        remote: new RedisTier({
          namespace: options.namespace ?? cacheModuleDefaults.namespace,
          clients: options.remote,
          clock,
          hash,
          ...(maxL1StalenessMs !== undefined && { maxL1StalenessMs }),
        }),
      }),
    },
    {
      policies,
      ...(maxL1StalenessMs !== undefined && { maxL1StalenessMs }),
      ...(options.outageTtlMs !== undefined && { outageTtlMs: options.outageTtlMs }),
      ...(options.refreshRetryMs !== undefined && { refreshRetryMs: options.refreshRetryMs }),
      ...(options.closeTimeoutMs !== undefined && { closeTimeoutMs: options.closeTimeoutMs }),
    },
  );
}

/**
 * How values are stored. The first compressor writes. Nothing is ever taken from this: entries outlive the version that wrote
 * them (`stored-formats.spec.ts` has one of each kind).
 */
export function codecOptions(): CodecOptions {
  return {
    serializer: new MsgpackSerializer(),
    serializers: [new InlineMsgpackSerializer(), new JsonSerializer(), storedResponseSerializer],
    compressors: [new DeflateCompressor(), new BrotliCompressor()],
  };
}
