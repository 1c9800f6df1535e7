import { GUARDS_METADATA } from '@nestjs/common/constants';
import { pastTheCache } from '../../cache';
import { BenchmarkController } from './benchmark.controller';
import { tasksCache } from './cache';
import { OptimizeController } from './optimize.controller';

const id = '0b9f6f53-6f5d-4c62-9a4e-0c4f5a1d7f10';

describe.each([
  ['a benchmark', BenchmarkController, tasksCache.benchmark],
  ['an optimisation', OptimizeController, tasksCache.optimization],
])('the cache of %s', (_, controller, { tags }) => {
  it('has an entry for what may be an id, and none for what cannot be', () => {
    expect(tags({ params: { id } })).toEqual(['hardware', 'hardware:tasks', `task:${id}`]);
    // No tag begins like this: the answer goes past the cache.
    for (const other of ['x', `${id}x`, id.toUpperCase(), ''])
      expect(tags({ params: { id: other } })).toContain(pastTheCache);
  });

  it('answers hits in front of the router, which no guard allows', () => {
    expect(Reflect.getMetadata(GUARDS_METADATA, controller.prototype.one)).toBeUndefined();
    expect(Reflect.getMetadata(GUARDS_METADATA, controller)).toBeUndefined();
  });
});
