import type { DiskDto, GpuDto, MemoryDto, NetworkDto, ProcessCountsDto } from './dto/hardware-response.dto';
import type { MachineQuestions } from './machine-reader';
import { percentOf, round } from './round';

/** Wire forms of what `systeminformation` says; its zeros and empty texts that mean "not known" become null. */

export function toMemoryDto(
  memory: MachineQuestions['mem'],
  limitBytes: number | null,
  processBytes: number,
): MemoryDto {
  const { total, available, swaptotal, swapused } = memory;
  const used = total - available;
  return {
    total_bytes: total,
    used_bytes: used,
    available_bytes: available,
    percent: percentOf(used, total) ?? 0,
    limit_bytes: limitBytes,
    process_bytes: processBytes,
    swap:
      swaptotal > 0
        ? { total_bytes: swaptotal, used_bytes: swapused, percent: percentOf(swapused, swaptotal) ?? 0 }
        : null,
  };
}

/** One entry a device: containers mount single files of one disk in many places. */
export function toDiskDtos(disks: MachineQuestions['fsSize']): DiskDto[] {
  const byDevice = new Map<string, DiskDto>();
  for (const { mount, fs: device, type, size, used, available } of disks) {
    const known = byDevice.get(device);
    if (size <= 0 || (known && known.mount.length <= mount.length)) continue;
    byDevice.set(device, {
      mount,
      device,
      type,
      total_bytes: size,
      used_bytes: used,
      available_bytes: available,
      percent: percentOf(used, used + available),
    });
  }
  return [...byDevice.values()].sort((a, b) => (a.mount < b.mount ? -1 : 1));
}

export function toNetworkDtos(interfaces: MachineQuestions['networkStats']): NetworkDto[] {
  return interfaces.map(each => ({
    interface: each.iface,
    state: each.operstate,
    received_bytes: each.rx_bytes,
    sent_bytes: each.tx_bytes,
    received_bytes_per_second: round(each.rx_sec, 0),
    sent_bytes_per_second: round(each.tx_sec, 0),
    receive_errors: each.rx_errors,
    send_errors: each.tx_errors,
    receive_drops: each.rx_dropped,
    send_drops: each.tx_dropped,
  }));
}

export function toGpuDtos(gpus: MachineQuestions['graphics']['controllers']): GpuDto[] {
  const bytes = (mebibytes: number | null | undefined): number | null =>
    mebibytes ? mebibytes * 1_048_576 : null;
  return gpus.map(gpu => ({
    vendor: gpu.vendor || null,
    model: gpu.model || null,
    memory_total_bytes: bytes(gpu.memoryTotal ?? gpu.vram),
    memory_used_bytes: typeof gpu.memoryUsed === 'number' ? gpu.memoryUsed * 1_048_576 : null,
    percent: round(gpu.utilizationGpu),
    temperature_celsius: round(gpu.temperatureGpu),
  }));
}

export function toProcessCountsDto({
  all,
  running,
  sleeping,
  blocked,
}: MachineQuestions['processes']): ProcessCountsDto {
  return { total: all, running, sleeping, blocked };
}
