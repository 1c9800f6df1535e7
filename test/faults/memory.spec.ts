import { expectBoundedMemory } from './many-keys';

describe('far more keys than fit', () => {
  test('F63: 30,000 keys: L1 keeps its bounds, and nothing else grows', async () => {
    await expectBoundedMemory('F63', 30_000);
  });
});
