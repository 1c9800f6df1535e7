import childProcess from 'node:child_process';
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HardwareService } from '../../src/hardware/hardware.service';
import { Machine } from '../../src/hardware/machine';
import { type Program, ProgramStarter } from '../../src/hardware/programs/program-starter';
import { eventually } from '../e2e/harness/eventually';
import { isThere } from '../e2e/harness/is-there';
import { MachineReader, MachineUnreadableError } from '../../src/hardware/machine-reader';

const everything = { disk: true, network: true, gpu: true, processes: true };

const starter = new ProgramStarter();
afterAll(() => starter.onApplicationShutdown());

describe('this machine', () => {
  let machine: Machine;
  let hardware: HardwareService;
  beforeAll(async () => {
    machine = new Machine(starter);
    machine.onModuleInit();
    hardware = new HardwareService(machine);
    await hardware.metrics(everything); // the reader starts and loads its library
  });
  afterAll(() => machine.onModuleDestroy());

  it('is described by numbers within their bounds', async () => {
    const { cpu, memory, disk, processes } = await hardware.metrics(everything);
    expect(cpu.count).toBeGreaterThan(0);
    expect(cpu.per_core).toHaveLength(cpu.count);
    for (const percent of [cpu.percent, ...cpu.per_core, memory?.percent]) {
      expect(percent).toBeGreaterThanOrEqual(0);
      expect(percent).toBeLessThanOrEqual(100);
    }
    expect(memory!.used_bytes + memory!.available_bytes).toBe(memory!.total_bytes);
    for (const { total_bytes, used_bytes, percent } of disk!) {
      expect(used_bytes).toBeLessThanOrEqual(total_bytes);
      expect(percent).toBeGreaterThanOrEqual(0);
      expect(percent).toBeLessThanOrEqual(100);
    }
    expect(processes!.total).toBeGreaterThan(0);
  });

  it('leaves out what was not asked for', async () => {
    const metrics = await hardware.metrics({ disk: false, network: false, gpu: false, processes: false });
    expect(Object.keys(metrics)).toEqual(['timestamp', 'hostname', 'uptime_seconds', 'cpu', 'memory']);
  });

  it('lists this process among its processes', async () => {
    const { processes } = await hardware.processes({
      sortBy: 'pid',
      limit: 500,
      minCpuPercent: 0,
      minMemoryMb: 0,
    });
    expect(processes.map(({ pid }) => pid)).toContain(process.pid);
  });

  it('says so when the program that lists processes is missing, and invents none', async () => {
    // What the library answers where there is no `ps`, as on slim images.
    const none = { all: 0, running: 0, blocked: 0, sleeping: 0, unknown: 0, list: [] };
    jest.spyOn(MachineReader.prototype, 'ask').mockResolvedValue(none);
    const bare = new Machine(starter);
    expect(await bare.processes()).toBeNull();
    await expect(
      new HardwareService(bare).processes({ sortBy: 'pid', limit: 5, minCpuPercent: 0, minMemoryMb: 0 }),
    ).rejects.toMatchObject({ status: 503, code: 'PROCESSES_UNREADABLE' });
    await bare.onModuleDestroy();
  });

  it('is read without one synchronous file or child process in the thread that requests run on', async () => {
    // What the library that reads it calls where it runs. Here it would be each time, whatever the machine is busy with.
    const synchronous = [
      jest.spyOn(fs, 'readFileSync'),
      jest.spyOn(fs, 'readdirSync'),
      jest.spyOn(fs, 'existsSync'),
      jest.spyOn(childProcess, 'execSync'),
      jest.spyOn(childProcess, 'execFileSync'),
      jest.spyOn(childProcess, 'spawnSync'),
      jest.spyOn(childProcess, 'exec'),
      jest.spyOn(childProcess, 'spawn'),
      jest.spyOn(Atomics, 'wait'),
    ];
    const metrics = await hardware.metrics({ ...everything, fresh: true });
    const vitals = await hardware.vitals(true);
    const { total } = await hardware.processes({ sortBy: 'pid', limit: 1, minCpuPercent: 0, minMemoryMb: 0 });
    expect([metrics.memory, metrics.disk, vitals.cpuPercent]).not.toContain(null);
    expect(total).toBeGreaterThan(0);
    for (const spy of synchronous) expect(spy).not.toHaveBeenCalled();
  });

  // A fork copies the page table of the process that starts a program, and holds up its threads meanwhile.
  it('is read by programs that a small process starts, and not this one', async () => {
    const { list } = (await machine.processes())!.processes;
    const parents = new Map(list.map(({ pid, parentPid }) => [pid, parentPid]));
    const wayUp = (pid: number | undefined): number[] => (pid ? [pid, ...wayUp(parents.get(pid))] : []);
    // The program that has listed them is among them, below a shell.
    const ways = list.filter(({ name }) => name === 'ps').map(({ pid }) => wayUp(pid));
    const way = ways.find(pids => pids.includes(process.pid))!;
    expect(way.indexOf(process.pid)).toBe(4);
    expect(list.find(({ pid }) => pid === way[3])!.memRss).toBeLessThan(150 * 1_024);
  });

  it('is described without command lines, which hold passwords of other programs', async () => {
    const { list } = (await machine.processes())!.processes;
    expect(Object.keys(list[0]!).sort()).toEqual(
      ['pid', 'parentPid', 'name', 'user', 'state', 'cpu', 'mem', 'memRss', 'started'].sort(),
    );
  });

  it('is asked again what its processor is when that could not be read', async () => {
    const own = new Machine(starter);
    const ask = jest
      .spyOn(MachineReader.prototype, 'ask')
      .mockRejectedValueOnce(new MachineUnreadableError('no'));
    expect(await own.cpuDescription()).toBeNull();
    expect(await own.cpuDescription()).toHaveProperty('brand');
    await own.cpuDescription();
    expect(ask).toHaveBeenCalledTimes(2);
    ask.mockRestore();
    await own.onModuleDestroy();
  });

  it('has a CPU sample of the time up to now for who asks more often than every five seconds', async () => {
    const [first, shared] = await Promise.all([machine.freshCpuSample(), machine.freshCpuSample()]);
    expect(shared).toBe(first);
    const next = await eventually(async () => {
      const sample = await machine.freshCpuSample();
      if (sample === first) throw new Error('still the one of before');
      return sample!;
    });
    expect(next.windowMs).toBeGreaterThanOrEqual(400);
  });
});

describe('the process that reads it', () => {
  it('begins anew after it was given up for taking too long, and this process starts no other for that', async () => {
    const reader = new MachineReader(starter, 1);
    await expect(reader.ask('mem')).rejects.toThrow(MachineUnreadableError);
    const spawn = jest.spyOn(childProcess, 'spawn');
    await expect(reader.ask('mem')).rejects.toThrow('longer than 1 ms');
    reader.close();
    const patient = new MachineReader(starter);
    await expect(patient.ask('mem')).resolves.toHaveProperty('total');
    expect(spawn).not.toHaveBeenCalled();
    patient.close();
  });

  it('leaves out what hangs, once, and takes that with it when it ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hung-'));
    const pids = join(folder, 'pids');
    // As on a dead disk of the network: a program that has started another one, and waits for it.
    writeFileSync(join(folder, 'df'), `#!/bin/sh\nsleep 3000 &\necho $$ $! >> ${pids}\nwait\n`, {
      mode: 0o755,
    });
    const path = process.env['PATH'];
    process.env['PATH'] = `${folder}:${path}`;
    const own = new ProgramStarter();
    const reader = new MachineReader(own, 3_000);
    await reader.ask('mem');
    process.env['PATH'] = path;
    const disks = [reader.ask('fsSize'), reader.ask('fsSize')].map(each => each.catch(String));
    const others = eventually(() => reader.ask('mem')); // it goes on meanwhile
    await expect(Promise.all(disks)).resolves.toEqual(
      Array(2).fill(expect.stringContaining('longer than 3000 ms')),
    );
    await others;
    await expect(reader.ask('fsSize')).rejects.toThrow('not answered yet');
    await expect(reader.ask('mem')).resolves.toHaveProperty('total');
    const hung = readFileSync(pids, 'utf8').trim().split(/\s/).map(Number);
    expect(hung).toHaveLength(2);
    reader.close();
    await eventually(() => expect(hung.filter(isThere)).toEqual([]));
    await own.onApplicationShutdown();
    rmSync(folder, { recursive: true });
  });

  it('is not begun again and again when it answers nothing', async () => {
    const start = jest.fn((): Program => ({
      ...{ send: () => undefined, kill: () => undefined },
      ended: new Promise(() => undefined),
    }));
    const reader = new MachineReader({ start }, 1);
    for (const started of [1, 2]) {
      await expect(reader.ask('mem')).rejects.toThrow('longer than 1 ms');
      expect(start).toHaveBeenCalledTimes(started);
    }
    await expect(reader.ask('mem')).rejects.toThrow('another one is begun later');
    await expect(reader.ask('cpu')).rejects.toThrow('another one is begun later');
    expect(start).toHaveBeenCalledTimes(2);
    const nowMs = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(nowMs + 60_001);
    await expect(reader.ask('mem')).rejects.toThrow('longer than 1 ms');
    expect(start).toHaveBeenCalledTimes(3);
    jest.restoreAllMocks();
  });

  it('answers nothing after it was closed, and what was under way is rejected', async () => {
    const reader = new MachineReader(starter);
    const outcome = reader.ask('processes').then(
      () => 'answered',
      (error: Error) => error.message,
    );
    reader.close();
    expect(await outcome).toContain('shutting down');
    await expect(reader.ask('mem')).rejects.toThrow('shutting down');
  });

  it('tells how it ended when it ends alone, and begins anew', async () => {
    const start = jest.spyOn(starter, 'start');
    const reader = new MachineReader(starter);
    await reader.ask('mem');
    const outcome = reader.ask('processes');
    (start.mock.results[0]!.value as Program).kill();
    await expect(outcome).rejects.toThrow('the reader has ended: SIGKILL');
    await expect(reader.ask('mem')).resolves.toHaveProperty('total');
    reader.close();
  });
});
