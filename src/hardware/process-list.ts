import type { ProcessDto, ProcessListDto } from './dto/process-response.dto';
import type { ProcessTable } from './machine';
import { round } from './round';

export const processOrders = ['cpu', 'memory', 'name', 'pid'] as const;
export type ProcessOrder = (typeof processOrders)[number];

/** Limits and defaults of a listing. */
export const processLimits = Object.freeze({
  minLimit: 1,
  maxLimit: 500,
  defaultLimit: 50,
  maxMemoryMb: 1_048_576,
});

export interface ProcessFilter {
  sortBy: ProcessOrder;
  /** Processes listed at most. */
  limit: number;
  /** Only those with at least this share of all cores, from 0 to 100. */
  minCpuPercent: number;
  /** Only those with at least so many MiB resident. */
  minMemoryMb: number;
}

type Process = ProcessTable['processes']['list'][number];
const mebibyte = 1_048_576;

/** The largest first for CPU and memory, ascending for names and ids; equal ones by id, so that two answers agree. */
const compare: Readonly<Record<ProcessOrder, (a: Process, b: Process) => number>> = {
  cpu: (a, b) => b.cpu - a.cpu || a.pid - b.pid,
  memory: (a, b) => b.memRss - a.memRss || a.pid - b.pid,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.pid - b.pid),
  pid: (a, b) => a.pid - b.pid,
};

/** The processes that pass the filter, in order. Command lines are left out: they hold passwords of other programs. */
export function listProcesses({ processes, windowMs }: ProcessTable, filter: ProcessFilter): ProcessListDto {
  const matching = processes.list.filter(
    ({ cpu, memRss }) => cpu >= filter.minCpuPercent && memRss * 1_024 >= filter.minMemoryMb * mebibyte,
  );
  const page = matching.sort(compare[filter.sortBy]).slice(0, filter.limit);
  return {
    processes: page.map(toProcessDto),
    count: page.length,
    matching: matching.length,
    total: processes.list.length,
    sort_by: filter.sortBy,
    limit: filter.limit,
    cpu_window_seconds: windowMs === null ? null : round(windowMs / 1_000),
  };
}

function toProcessDto(process: Process): ProcessDto {
  return {
    pid: process.pid,
    parent_pid: process.parentPid,
    name: process.name,
    user: process.user || null,
    state: process.state || null,
    cpu_percent: round(process.cpu, 2) ?? 0,
    memory_percent: round(process.mem, 2) ?? 0,
    memory_bytes: process.memRss * 1_024,
    started_at: startOf(process.started),
  };
}

/** `systeminformation` gives local time without an offset. */
function startOf(text: string): string | null {
  const time = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
