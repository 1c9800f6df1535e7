import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DrizzleQueryError } from 'drizzle-orm';
import type { Lead, TieredCache } from '../cache';
import type { AppConfig } from '../config/app-config';
import { DatabaseUnavailableError } from '../database/database-errors';
import type { AgentProber, AgentToProbe } from './agent-prober';
import { AgentWatch } from './agent-watch';
import type { AgentsRepository } from './agents.repository';

const watchIntervalMs = 30_000;
const total = 12;
const config = { agents: { watchIntervalMs, probeConcurrency: 1 } } as AppConfig;
const lead: Lead = { progress: undefined, keep: async () => true, end: async () => undefined };
const cache = { cluster: { lead: async () => lead } } as unknown as TieredCache;
const hosts = Array.from({ length: total }, (_, n): AgentToProbe => {
  const id = String(n).padStart(2, '0');
  return { id, url: `http://${id}.example`, known: 'unreachable' };
});

/** The watch, over agents whose probes take `probeMs` a page, and a database that settles as `settle` says. */
function watch(settle: (limit: number) => Promise<string[]>, probeMs = 0): AgentWatch {
  const repository = {
    settle,
    withUrl: async (after: string, limit: number) => hosts.filter(({ id }) => id > after).slice(0, limit),
    noteProbes: async () => [],
  } as unknown as AgentsRepository;
  const prober = {
    probeAll: async () => {
      jest.advanceTimersByTime(probeMs);
      return [];
    },
    stop: () => undefined,
  } as unknown as AgentProber;
  return new AgentWatch(config, cache, new SchedulerRegistry(), repository, prober);
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe('a round of the watch', () => {
  it('that takes longer than the interval finds the silent in between', async () => {
    let settled = 0;
    const long = watch(async () => ((settled += 1), []), watchIntervalMs);
    long.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(watchIntervalMs);
    await long.onModuleDestroy();
    expect(settled).toBeGreaterThanOrEqual(total / 4);
  });

  it('that is short looks for them once', async () => {
    let settled = 0;
    const short = watch(async () => ((settled += 1), []));
    short.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(watchIntervalMs);
    expect([settled, short.counts.ended]).toEqual([1, 1]);
    await short.onModuleDestroy();
  });

  it('goes on with the silent until a statement finds fewer than it may', async () => {
    const found = [500, 500, 3];
    const asked: number[] = [];
    const many = watch(async limit => {
      asked.push(limit);
      return Array.from({ length: found.shift() ?? 0 }, (_, n) => `agent-${n}`);
    });
    many.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(watchIntervalMs);
    expect([asked, many.counts.ended]).toEqual([[500, 500, 500], 1]);
    await many.onModuleDestroy();
  });

  it('says once that it fails, and once that it works again', async () => {
    const said: string[] = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((text: string) => void said.push(text));
    jest.spyOn(Logger.prototype, 'log').mockImplementation((text: string) => void said.push(text));
    let isAway = true;
    const failing = watch(async () => {
      if (isAway) throw new DrizzleQueryError('update agents', [], new DatabaseUnavailableError());
      return [];
    });
    failing.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(2 * watchIntervalMs);
    isAway = false;
    await jest.advanceTimersByTimeAsync(2 * watchIntervalMs);
    await failing.onModuleDestroy();
    expect(said).toEqual([
      'the status of agents cannot be kept up: the database cannot be reached',
      'the status of agents is kept up again',
    ]);
  });
});
