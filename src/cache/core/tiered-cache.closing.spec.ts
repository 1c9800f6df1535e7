import { exactPolicy } from '../../../test/fakes/cache-under-test';
import { settled } from '../../../test/fakes/fake-clock';
import { InstancesUnderTest } from '../../../test/fakes/instances-under-test';
import type { Postman } from '../../../test/fakes/wire';
import type { Compressor } from './ports';

describe('a cache that closes', () => {
  const make = async (postman?: Postman): Promise<InstancesUnderTest> => {
    const instances = new InstancesUnderTest(postman);
    await instances.add().cache.ready();
    await settled();
    return instances;
  };
  const policy = exactPolicy({ ttlMs: 10_000 });

  test('tries once more what Redis has not confirmed: nobody will do so later', async () => {
    let held: (() => void)[] | undefined;
    const postman: Postman = (_label, deliver) => (held ? held.push(deliver) : queueMicrotask(deliver));
    const [a] = (await make(postman)).all;
    await a!.cache.getOrSet('k', () => 'v', { policy });
    held = [];
    const invalidated = a!.cache.invalidateKeys(['k']);
    await settled();
    a!.tier.timeOut();
    expect(await invalidated).toEqual({ applied: false, queued: true });
    const late = held;
    held = undefined;
    for (const deliver of late) deliver();
    await settled();
    expect(a!.cache.status().pendingInvalidations).toBe(1);
    await a!.cache.close();
    expect(a!.cache.status().pendingInvalidations).toBe(0);
  });

  test('waits no longer for that than for anything else', async () => {
    const instances = await make();
    const [a] = instances.all;
    a!.tier.cutData();
    expect(await a!.cache.invalidateKeys(['k'])).toEqual({ applied: false, queued: true });
    const closed = a!.cache.close();
    await instances.clock.advance(5_000);
    await closed;
    expect(a!.cache.status().pendingInvalidations).toBe(1);
  });

  test('takes nothing into L1 any more from a read that did not end in time', async () => {
    const kept: Uint8Array[] = [];
    let inflated!: (bytes: Uint8Array) => void;
    const compressor: Compressor = {
      id: 9,
      compress: bytes => Uint8Array.of(kept.push(bytes) - 1),
      compressAside: bytes => Promise.resolve(compressor.compress(bytes)),
      decompress: ([number]) => kept[number!]!,
      decompressAside: () => new Promise(resolve => (inflated = resolve)),
    };
    const instances = new InstancesUnderTest(undefined, { closeTimeoutMs: 100 }, compressor);
    const [a, b] = [instances.add(), instances.add()];
    await Promise.all([a.cache.ready(), b.cache.ready()]);
    await settled();
    const large = 'v'.repeat(200_000);
    await a.cache.getOrSet('k', () => large, { policy });
    const read = b.cache.getOrSet('k', () => 'other', { policy });
    await settled();
    const closed = b.cache.close();
    await instances.clock.advance(100);
    await closed;
    inflated(kept[0]!);
    expect(await read).toBe(large);
    expect(b.store.entries).toBe(0);
    await a.cache.close();
  });
});
