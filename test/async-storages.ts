import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Every `AsyncLocalStorage` that has ever run something costs time at every promise of the process (in Node 20: two hundred of
 * them make promises two hundred times slower), and a worker of jest runs many files. So those of a file end with it.
 */
const used = new Set<AsyncLocalStorage<unknown>>();

const run = AsyncLocalStorage.prototype.run;

AsyncLocalStorage.prototype.run = function (this: AsyncLocalStorage<unknown>, ...args: unknown[]): unknown {
  used.add(this);
  return Reflect.apply(run, this, args);
} as typeof run;

afterAll(() => {
  AsyncLocalStorage.prototype.run = run;
  for (const storage of used) storage.disable();
});
