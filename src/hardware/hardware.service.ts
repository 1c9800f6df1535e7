import { Injectable } from '@nestjs/common';
import os from 'node:os';
import { ProblemException } from '../http/problem.exception';
import {
  CpuDto,
  DiskDto,
  MemoryDto,
  NetworkDto,
  type HardwareHealthDto,
  type HardwareMetricsDto,
  type HardwareStatusDto,
} from './dto/hardware-response.dto';
import type { ProcessListDto } from './dto/process-response.dto';
import { healthScore, type HealthScore, type Vitals } from './health-score';
import { Machine } from './machine';
import { toDiskDtos, toGpuDtos, toMemoryDto, toNetworkDtos, toProcessCountsDto } from './machine-mapping';
import { listProcesses, type ProcessFilter } from './process-list';
import { round } from './round';

// Other features show the same facts under the same names.
export { CpuDto, DiskDto, MemoryDto, NetworkDto };
export type { HealthScore, Vitals };

/** Which parts of the metrics are wanted. */
export interface MetricsParts {
  disk: boolean;
  network: boolean;
  gpu: boolean;
  processes: boolean;
  /** The CPU of the time up to now, and not of the last full five seconds; for who asks more often than that. */
  fresh?: boolean;
}

/** This machine. Each call reads it; the routes are cached. */
@Injectable()
export class HardwareService {
  constructor(private readonly machine: Machine) {}

  async metrics(parts: MetricsParts): Promise<HardwareMetricsDto> {
    const [cpu, memory, disk, network, gpu, processes] = await Promise.all([
      this.cpu(parts.fresh),
      this.memory(),
      parts.disk ? this.disks() : undefined,
      parts.network ? this.network() : undefined,
      parts.gpu ? this.gpus() : undefined,
      parts.processes ? this.machine.processes() : undefined,
    ]);
    return {
      timestamp: new Date().toISOString(),
      hostname: os.hostname(),
      uptime_seconds: this.machine.uptimeSeconds(),
      cpu,
      memory,
      ...(disk !== undefined && { disk }),
      ...(network !== undefined && { network }),
      ...(gpu !== undefined && { gpu }),
      ...(processes !== undefined && { processes: processes && toProcessCountsDto(processes.processes) }),
    };
  }

  async health(): Promise<HardwareHealthDto> {
    return { ...healthScore(await this.vitals()), timestamp: new Date().toISOString() };
  }

  /** The score of vitals that were read before. */
  scoreOf(vitals: Vitals): HealthScore {
    return healthScore(vitals);
  }

  async status(): Promise<HardwareStatusDto> {
    const vitals = await this.vitals();
    return {
      status: healthScore(vitals).status,
      cpu_percent: vitals.cpuPercent,
      memory_percent: vitals.memoryPercent,
      disk_percent: vitals.diskPercent,
      load_1m: round(this.machine.load()?.[0], 2),
      uptime_seconds: this.machine.uptimeSeconds(),
      timestamp: new Date().toISOString(),
    };
  }

  /** @throws ProblemException 503 when the processes cannot be read */
  async processes(filter: ProcessFilter): Promise<ProcessListDto> {
    const table = await this.machine.processes();
    if (!table)
      throw new ProblemException(
        503,
        'PROCESSES_UNREADABLE',
        'Processes unreadable',
        'The processes of this machine cannot be read; listing them needs the program ps (package procps).',
      );
    return listProcesses(table, filter);
  }

  /** What the health score is made of; `fresh` as for the metrics. */
  async vitals(fresh = false): Promise<Vitals> {
    const [sample, memory, disks] = await Promise.all([
      fresh ? this.machine.freshCpuSample() : this.machine.cpuSample(),
      this.memory(),
      this.disks(),
    ]);
    const load = this.machine.load();
    const full = (disks ?? []).map(({ percent }) => percent).filter(percent => percent !== null);
    return {
      cpuPercent: round(sample?.percent),
      loadPerCore: load && round(load[0] / Math.max(1, os.cpus().length), 2),
      memoryPercent: memory?.percent ?? null,
      swapPercent: memory?.swap?.percent ?? null,
      diskPercent: full.length > 0 ? Math.max(...full) : null,
    };
  }

  async cpu(fresh = false): Promise<CpuDto> {
    const { machine } = this;
    const [sample, description, frequencyMhz] = await Promise.all([
      fresh ? machine.freshCpuSample() : machine.cpuSample(),
      machine.cpuDescription(),
      machine.frequencyMhz(),
    ]);
    const [one, five, fifteen] = machine.load() ?? [];
    return {
      percent: round(sample?.percent),
      user_percent: round(sample?.userPercent),
      system_percent: round(sample?.systemPercent),
      per_core: (sample?.perCore ?? []).map(percent => round(percent) ?? 0),
      window_seconds: sample ? round(sample.windowMs / 1_000) : null,
      count: sample?.perCore.length ?? os.cpus().length,
      physical_count: description?.physicalCores || null,
      model: [description?.manufacturer, description?.brand].filter(Boolean).join(' ') || null,
      frequency_mhz: frequencyMhz,
      load_1m: round(one, 2),
      load_5m: round(five, 2),
      load_15m: round(fifteen, 2),
    };
  }

  async memory(): Promise<MemoryDto | null> {
    const memory = await this.machine.memory();
    return memory && toMemoryDto(memory, this.machine.memoryLimitBytes(), process.memoryUsage.rss());
  }

  async disks(): Promise<DiskDto[] | null> {
    const disks = await this.machine.disks();
    return disks && toDiskDtos(disks);
  }

  async network(): Promise<NetworkDto[] | null> {
    const interfaces = await this.machine.network();
    return interfaces && toNetworkDtos(interfaces);
  }

  private async gpus(): Promise<HardwareMetricsDto['gpu']> {
    const gpus = await this.machine.gpus();
    return gpus && toGpuDtos(gpus);
  }
}
