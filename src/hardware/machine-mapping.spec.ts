import { toDiskDtos, toGpuDtos, toMemoryDto, toNetworkDtos } from './machine-mapping';
import type { MachineQuestions } from './machine-reader';

const memory = { total: 1_000, available: 250, swaptotal: 0, swapused: 0 } as MachineQuestions['mem'];

describe('what the machine says', () => {
  it('counts as used what is not available, and has no swap where there is none', () => {
    expect(toMemoryDto(memory, null, 7)).toEqual({
      total_bytes: 1_000,
      used_bytes: 750,
      available_bytes: 250,
      percent: 75,
      limit_bytes: null,
      process_bytes: 7,
      swap: null,
    });
    expect(toMemoryDto({ ...memory, swaptotal: 200, swapused: 50 }, 500, 7)).toMatchObject({
      limit_bytes: 500,
      swap: { total_bytes: 200, used_bytes: 50, percent: 25 },
    });
  });

  it('lists a device once, under its shortest mount', () => {
    const disk = (fs: string, mount: string) => ({
      fs,
      mount,
      type: 'ext4',
      size: 100,
      used: 30,
      available: 60,
      use: 33,
      rw: true,
    });
    const disks = toDiskDtos([
      disk('/dev/a', '/etc/hosts'),
      disk('/dev/a', '/'),
      disk('/dev/b', '/data'),
      { ...disk('x', '/x'), size: 0 },
    ]);
    expect(disks.map(({ mount, percent }) => [mount, percent])).toEqual([
      ['/', 33.3],
      ['/data', 33.3],
    ]);
  });

  it('has no rate before there is a difference', () => {
    const stats = [
      { iface: 'eth0', operstate: 'up', rx_bytes: 5, tx_bytes: 6, rx_sec: null, tx_sec: 1.6 },
    ] as unknown as MachineQuestions['networkStats'];
    expect(toNetworkDtos(stats)[0]).toMatchObject({
      received_bytes: 5,
      received_bytes_per_second: null,
      sent_bytes_per_second: 2,
    });
  });

  it('says null for what a GPU does not tell', () => {
    const gpus = [
      { vendor: 'NVIDIA', model: '', vram: null },
    ] as unknown as MachineQuestions['graphics']['controllers'];
    expect(toGpuDtos(gpus)).toEqual([
      {
        vendor: 'NVIDIA',
        model: null,
        memory_total_bytes: null,
        memory_used_bytes: null,
        percent: null,
        temperature_celsius: null,
      },
    ]);
  });
});
