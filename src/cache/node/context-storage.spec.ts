import { AsyncLocalStorage } from 'node:async_hooks';
import { ContextStorage } from './context-storage';

const looks = 1_000;

describe('ContextStorage', () => {
  const look = (storage: ContextStorage<string>): void => {
    for (let count = 0; count < looks; count += 1) storage.current();
  };

  it('is seen by all that is awaited inside, however often others look', async () => {
    const storage = new ContextStorage<string>();
    let release!: () => void;
    const held = new Promise<void>(resolve => (release = resolve));
    const inside = storage.run('a', async () => {
      await held;
      await new Promise(resolve => setImmediate(resolve));
      return storage.current();
    });
    look(storage);
    expect(storage.current()).toBeUndefined();
    release();
    expect(await inside).toBe('a');
  });

  it('nests, and keeps those apart that run at one time', async () => {
    const storage = new ContextStorage<string>();
    const seen = (name: string): Promise<unknown> =>
      storage.run(name, async () => {
        await Promise.resolve();
        const inner = await storage.run(`${name}'`, async () => {
          await Promise.resolve();
          return storage.current();
        });
        return [inner, storage.current()];
      });
    expect(await Promise.all([seen('a'), seen('b')])).toEqual([
      ["a'", 'a'],
      ["b'", 'b'],
    ]);
  });

  it('rests when nobody has been inside for a while, and wakes', async () => {
    const disable = jest.spyOn(AsyncLocalStorage.prototype, 'disable');
    const storage = new ContextStorage<string>();
    look(storage);
    expect(disable).not.toHaveBeenCalled();
    await storage.run('a', () => Promise.resolve());
    look(storage);
    expect(disable).toHaveBeenCalledTimes(1);
    look(storage);
    expect(disable).toHaveBeenCalledTimes(1);
    expect(await storage.run('b', async () => Promise.resolve(storage.current()))).toBe('b');
    disable.mockRestore();
  });

  it('rests at once where its owner says so, but not while somebody is inside', async () => {
    const disable = jest.spyOn(AsyncLocalStorage.prototype, 'disable');
    const storage = new ContextStorage<string>();
    let release!: () => void;
    const inside = storage.run('a', () => new Promise<void>(resolve => (release = resolve)));
    storage.rest();
    expect(disable).not.toHaveBeenCalled();
    release();
    await inside;
    storage.rest();
    storage.rest();
    expect(disable).toHaveBeenCalledTimes(1);
    disable.mockRestore();
  });

  it('does not rest while somebody is inside', async () => {
    const disable = jest.spyOn(AsyncLocalStorage.prototype, 'disable');
    const storage = new ContextStorage<string>();
    let release!: () => void;
    const inside = storage.run('a', () => new Promise<void>(resolve => (release = resolve)));
    look(storage);
    expect(disable).not.toHaveBeenCalled();
    release();
    await inside;
    look(storage);
    expect(disable).toHaveBeenCalledTimes(1);
    disable.mockRestore();
  });

  it('is left by what throws, rejects or returns at once', async () => {
    const disable = jest.spyOn(AsyncLocalStorage.prototype, 'disable');
    const storage = new ContextStorage<string>();
    const fail = (): never => {
      throw new Error('no');
    };
    expect(() => storage.run('a', fail)).toThrow('no');
    await expect(storage.run('a', () => Promise.reject(new Error('late')))).rejects.toThrow('late');
    expect(storage.run('a', () => storage.current())).toBe('a');
    look(storage);
    expect(disable).toHaveBeenCalledTimes(1);
    disable.mockRestore();
  });
});
