import { FakeClock, settled } from '../../../test/fakes/fake-clock';
import { Background } from './background';
import { RemoteUnavailableError } from './errors';
import { Leases } from './leases';
import type { RemoteKey, RemoteStore } from './ports';

const key: RemoteKey = { key: 'k', encoded: 'k', tracked: true };

/** Of a store, what leases use of it. */
class Store {
  available = true;
  failures = 0;
  readonly released: string[] = [];

  release(_key: RemoteKey, token: string): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new RemoteUnavailableError('timeout'));
    }
    this.released.push(token);
    return Promise.resolve();
  }
}

describe('leases', () => {
  const make = (): { store: Store; clock: FakeClock; leases: Leases } => {
    const [store, clock] = [new Store(), new FakeClock()];
    return { store, clock, leases: new Leases(store as unknown as RemoteStore, new Background(), clock) };
  };

  test('one whose release failed over a connection that stays is given back a moment later', async () => {
    const { store, clock, leases } = make();
    store.failures = 2;
    leases.release(key, 'mine');
    await settled();
    expect([leases.owed, clock.pending]).toEqual([1, 1]);
    await clock.advance(250);
    expect([leases.owed, store.released]).toEqual([1, []]);
    await clock.advance(250);
    expect([leases.owed, store.released, clock.pending]).toEqual([0, ['mine'], 0]);
  });

  test('while Redis is away they are owed, and nothing asks in vain', async () => {
    const { store, clock, leases } = make();
    store.available = false;
    leases.release(key, 'mine');
    await clock.advance(10_000);
    expect([leases.owed, store.released, clock.pending]).toEqual([1, [], 0]);
    store.available = true;
    leases.releaseOwed();
    await settled();
    expect([leases.owed, store.released]).toEqual([0, ['mine']]);
  });

  test('after the end nothing is planned any more', async () => {
    const { store, clock, leases } = make();
    store.failures = 1;
    leases.release(key, 'mine');
    leases.stop();
    await settled();
    expect(clock.pending).toBe(0);
  });
});
