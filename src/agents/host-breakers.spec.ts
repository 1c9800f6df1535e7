import { BrokenCircuitError } from 'cockatiel';
import { HostBreakers } from './host-breakers';

const fails = (): Promise<never> => Promise.reject(new Error('no answer'));
const works = (): Promise<string> => Promise.resolve('ok');

beforeEach(() => jest.useFakeTimers({ now: 1_000_000 }));
afterEach(() => jest.useRealTimers());

describe('the breakers of hosts', () => {
  const failing = async (breakers: HostBreakers, host: string, times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) await expect(breakers.run(host, fails)).rejects.toThrow('no answer');
  };

  it('open after three failures in a row, for their host alone', async () => {
    const breakers = new HostBreakers();
    await failing(breakers, 'a:1', 2);
    await breakers.run('a:1', works);
    await failing(breakers, 'a:1', 3);
    const call = jest.fn(works);
    await expect(breakers.run('a:1', call)).rejects.toThrow(BrokenCircuitError);
    expect(call).not.toHaveBeenCalled();
    expect(await breakers.run('b:1', works)).toBe('ok');
    expect(breakers.list()).toEqual([
      {
        name: 'agents:a:1',
        state: 'open',
        failures: 5,
        successes: 1,
        openedAtMs: 1_000_000,
        nextProbeAtMs: 1_060_000,
      },
      {
        name: 'agents:b:1',
        state: 'closed',
        failures: 0,
        successes: 1,
        openedAtMs: null,
        nextProbeAtMs: null,
      },
    ]);
  });

  it('let one call through after a minute: it closes them, or opens them again', async () => {
    const breakers = new HostBreakers();
    await failing(breakers, 'a:1', 3);
    jest.advanceTimersByTime(60_001);
    await failing(breakers, 'a:1', 1);
    expect(breakers.list()[0]).toMatchObject({ state: 'open', openedAtMs: 1_060_001 });
    jest.advanceTimersByTime(60_001);
    expect(await breakers.run('a:1', works)).toBe('ok');
    expect(breakers.list()[0]).toMatchObject({ state: 'closed', openedAtMs: null, nextProbeAtMs: null });
  });

  it('are reset, all or by name', async () => {
    const breakers = new HostBreakers();
    for (const host of ['a:1', 'b:1', 'c:1']) await failing(breakers, host, 3);
    expect(breakers.reset(['agents:a:1', 'agents:nobody'])).toBe(1);
    expect(await breakers.run('a:1', works)).toBe('ok');
    await expect(breakers.run('b:1', works)).rejects.toThrow(BrokenCircuitError);
    expect(breakers.reset()).toBe(3);
    expect(await breakers.run('b:1', works)).toBe('ok');
  });

  it('keep the failures of a host although more others answer than there is room for', async () => {
    const breakers = new HostBreakers({ maxHosts: 3 });
    for (let turn = 0; turn < 3; turn += 1) {
      await failing(breakers, 'dead:1', 1);
      for (let n = 0; n < 5; n += 1) await breakers.run(`host-${n}:1`, works);
    }
    await expect(breakers.run('dead:1', works)).rejects.toThrow(BrokenCircuitError);
  });

  it('are so many at most: a closed one that was used longest ago makes room first', async () => {
    const breakers = new HostBreakers({ maxHosts: 3 });
    await failing(breakers, 'open:1', 3);
    for (const host of ['b:1', 'c:1', 'b:1', 'd:1']) await breakers.run(host, works);
    expect(breakers.list().map(({ name }) => name)).toEqual(['agents:b:1', 'agents:d:1', 'agents:open:1']);
    for (const host of ['b:1', 'd:1', 'e:1']) await failing(breakers, host, 3);
    expect(breakers.list()).toHaveLength(3);
  });
});
