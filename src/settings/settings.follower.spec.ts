import { CacheUnderTest } from '../../test/fakes/cache-under-test';
import { FakeClock, settled } from '../../test/fakes/fake-clock';
import { definePolicy } from '../cache';
import { settingsCache } from './cache';
import { mergeSettings, settingsDefaults, type SettingsDocument } from './settings.document';
import { followEveryMs, SettingsFollower } from './settings.follower';
import type { VersionedSettings } from './settings.repository';

const settingsOf = (version: number): VersionedSettings => ({
  version,
  document: mergeSettings(settingsDefaults, { performance: { agents_page_size: version } }),
});

/** What is in force, as the one effect was told it. */
const watched = (
  read: () => Promise<VersionedSettings>,
  clock: FakeClock,
): { follower: SettingsFollower; inForce: number[] } => {
  const inForce: number[] = [];
  const effect = ({ performance }: SettingsDocument): void => void inForce.push(performance.agents_page_size);
  return { follower: new SettingsFollower(read, { effect }, clock), inForce };
};

describe('the settings in force', () => {
  it('are those at the start, before it is over', async () => {
    const { follower, inForce } = watched(() => Promise.resolve(settingsOf(3)), new FakeClock());
    await follower.start();
    expect(inForce).toEqual([3]);
    await follower.stop();
  });

  it('follow a change of another instance with the next look, and are put into force once', async () => {
    const clock = new FakeClock();
    let stored = settingsOf(1);
    const { follower, inForce } = watched(() => Promise.resolve(stored), clock);
    await follower.start();
    stored = settingsOf(2);
    await clock.advance(followEveryMs - 1);
    expect(inForce).toEqual([1]);
    await clock.advance(1);
    expect(inForce).toEqual([1, 2]);
    await clock.advance(10 * followEveryMs);
    expect(inForce).toEqual([1, 2]);
    await follower.stop();
  });

  it('follow within the life of the cached row and a look where nobody tells of changes, and cost one load each time', async () => {
    const { cache, clock } = new CacheUnderTest();
    const { ttlMs, staleMs, tags } = settingsCache.row;
    const policy = definePolicy('static', { ttlMs, staleMs, tags });
    let stored = settingsOf(1);
    let loads = 0;
    const load = (): VersionedSettings => ((loads += 1), stored);
    const { follower, inForce } = watched(() => cache.getOrSet('settings:row', load, { policy }), clock);
    await follower.start();
    stored = settingsOf(2);
    await clock.advance(ttlMs + followEveryMs);
    expect(inForce).toEqual([1, 2]);
    expect(loads).toBe(2);
    await follower.stop();
    await cache.close();
  });

  it('are those of a change made here as soon as it is told, and a look that began before does not undo it', async () => {
    const clock = new FakeClock();
    const { promise, resolve } = deferred<VersionedSettings>();
    const reads = [Promise.resolve(settingsOf(1)), promise];
    const { follower, inForce } = watched(() => reads.shift() ?? Promise.resolve(settingsOf(2)), clock);
    await follower.start();
    await clock.advance(followEveryMs);
    follower.changed(settingsOf(2));
    expect(inForce).toEqual([1, 2]);
    resolve(settingsOf(1));
    await settled();
    await clock.advance(followEveryMs);
    expect(inForce).toEqual([1, 2]);
    await follower.stop();
  });

  it('are the later of two changes that are told in the wrong order', async () => {
    const { follower, inForce } = watched(() => Promise.resolve(settingsOf(1)), new FakeClock());
    await follower.start();
    follower.changed(settingsOf(3));
    follower.changed(settingsOf(2));
    expect(inForce).toEqual([1, 3]);
    await follower.stop();
  });

  it('are those of a database that was put back to an earlier version', async () => {
    const clock = new FakeClock();
    let stored = settingsOf(5);
    const { follower, inForce } = watched(() => Promise.resolve(stored), clock);
    await follower.start();
    stored = settingsOf(4);
    await clock.advance(followEveryMs);
    expect(inForce).toEqual([5, 4]);
    await follower.stop();
  });

  it('stay while they cannot be read, and follow again afterwards', async () => {
    const clock = new FakeClock();
    let answer = (): Promise<VersionedSettings> => Promise.reject(new Error('away'));
    const { follower, inForce } = watched(() => answer(), clock);
    await follower.start();
    expect(inForce).toEqual([]);
    await clock.advance(3 * followEveryMs);
    answer = () => Promise.resolve(settingsOf(1));
    await clock.advance(followEveryMs);
    expect(inForce).toEqual([1]);
    await follower.stop();
  });

  it('are in force in every other respect where one cannot be', async () => {
    const inForce: number[] = [];
    const follower = new SettingsFollower(
      () => Promise.resolve(settingsOf(1)),
      {
        broken: () => {
          throw new Error('no such level');
        },
        well: ({ performance }) => void inForce.push(performance.agents_page_size),
      },
      new FakeClock(),
    );
    await follower.start();
    expect(inForce).toEqual([1]);
    await follower.stop();
  });

  it('are not looked at after the stop, which waits for the look under way', async () => {
    const clock = new FakeClock();
    const { promise, resolve } = deferred<VersionedSettings>();
    const reads = [Promise.resolve(settingsOf(1)), promise];
    const { follower } = watched(() => reads.shift()!, clock);
    await follower.start();
    await clock.advance(followEveryMs);
    let stopped = false;
    const stop = follower.stop().then(() => (stopped = true));
    await settled();
    expect(stopped).toBe(false);
    resolve(settingsOf(1));
    await stop;
    expect(clock.pending).toBe(0);
  });
});

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>(settle => (resolve = settle));
  return { promise, resolve };
}
