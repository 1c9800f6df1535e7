import { isPastManifest, percentOf, progressOf } from './pull-progress';

const layer = { status: 'pulling a', digest: 'sha256:a', total: 1_000 };

describe('the progress of a pull', () => {
  it('says null for what a step has not, and 0 for a layer of which nothing is there', () => {
    expect(progressOf({ status: 'pulling manifest' })).toEqual({
      ...{ status: 'pulling manifest', digest: null, total: null, completed: null },
    });
    expect(progressOf(layer)).toEqual({ ...layer, completed: 0 });
    expect(progressOf({ total: 5 })).toBeUndefined();
  });

  it.each([
    [{ ...layer, completed: 0 }, 0],
    [{ ...layer, completed: 333 }, 33.3],
    [{ ...layer, completed: 2_000 }, 100],
    [{ ...layer, total: 0, completed: 0 }, null],
    [{ status: 'verifying', digest: null, total: null, completed: null }, null],
    [{ status: 'success', digest: null, total: null, completed: null }, 100],
  ])('%j is %j percent', (progress, percent) => {
    expect(percentOf(progress)).toBe(percent);
  });

  it('knows that a model has been found from what follows the manifest', () => {
    const at = (status: string): boolean => isPastManifest({ ...layer, status, completed: 0 });
    expect([at('pulling manifest'), at('pulling a')]).toEqual([false, true]);
  });
});
