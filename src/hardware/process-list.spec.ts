import { listProcesses, type ProcessFilter } from './process-list';
import type { ProcessTable } from './machine';

const one = (pid: number, name: string, cpu: number, memRss: number): object => ({
  pid, name, cpu, memRss, parentPid: 1, user: 'root', state: 'sleeping', mem: 1.234, started: '2026-01-02 03:04:05',
  command: 'program', params: '--password=secret',
}); // prettier-ignore
const list = [one(3, 'b', 1, 2_048), one(1, 'a', 50.456, 1_024), one(2, 'c', 1, 4_096)];
const table = (windowMs: number | null = 2_500): ProcessTable =>
  ({
    processes: { all: 3, running: 1, blocked: 0, sleeping: 2, unknown: 0, list: [...list] },
    windowMs,
  }) as unknown as ProcessTable;
const everything: ProcessFilter = { sortBy: 'cpu', limit: 50, minCpuPercent: 0, minMemoryMb: 0 };
const pids = (filter: Partial<ProcessFilter>): number[] =>
  listProcesses(table(), { ...everything, ...filter }).processes.map(({ pid }) => pid);

describe('the list of processes', () => {
  it.each([
    ['cpu', [1, 2, 3]],
    ['memory', [2, 3, 1]],
    ['name', [1, 3, 2]],
    ['pid', [1, 2, 3]],
  ] as const)('is sorted by %s, equal ones by id', (sortBy, expected) => {
    expect(pids({ sortBy })).toEqual(expected);
  });

  it('is filtered by CPU and memory, the limits included', () => {
    expect(pids({ minCpuPercent: 50.456 })).toEqual([1]);
    expect(pids({ minMemoryMb: 2 })).toEqual([2, 3]);
  });

  it('is cut to its limit and says how many matched', () => {
    expect(listProcesses(table(), { ...everything, limit: 1, minMemoryMb: 2 })).toMatchObject({
      count: 1,
      matching: 2,
      total: 3,
      limit: 1,
    });
  });

  it('has snake_case fields with units, and no command lines', () => {
    const { processes, cpu_window_seconds } = listProcesses(table(), everything);
    expect(processes[0]).toEqual({
      pid: 1,
      parent_pid: 1,
      name: 'a',
      user: 'root',
      state: 'sleeping',
      cpu_percent: 50.46,
      memory_percent: 1.23,
      memory_bytes: 1_048_576,
      started_at: new Date(2026, 0, 2, 3, 4, 5).toISOString(),
    });
    expect(cpu_window_seconds).toBe(2.5);
    expect(JSON.stringify(processes)).not.toContain('secret');
  });

  it('says null for the time that CPU shares are of when there was no table before', () => {
    expect(listProcesses(table(null), everything).cpu_window_seconds).toBeNull();
  });
});
