import { Logger } from '@nestjs/common';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A unix socket's path has 108 bytes, the last of them zero (unix(7)). */
const maxSocketPathBytes = 107;
const startLimitMs = 5_000;
const stopLimitMs = 1_500;
const restartDelaysMs = [50, 100, 250, 500, 1_000, 2_000, 5_000];
const longLifeMs = 30_000;

/**
 * The server runs under a small shell that ends it when its own standard input closes. That input is a pipe from this
 * process, and the kernel closes it however this process ends, by SIGKILL too: no server is left behind.
 * The shell also removes the folder of the socket. It leads a process group of its own, so that Ctrl-C in a terminal
 * reaches this process alone, which closes Redis last.
 */
const guardian = `
folder=$1; shift
exec 3<&0
"$@" </dev/null & server=$!
{ cat <&3 >/dev/null; kill -TERM $server; sleep 1; kill -KILL $server; } 2>/dev/null 3<&3 &
watch=$!
exec 3<&-
wait $server; code=$?
kill $watch 2>/dev/null
rm -rf "$folder"
exit $code
`;

/**
 * A private `redis-server` for one process, on a unix socket that only its user can open; no TCP port. It dies with
 * this process, and is started again when it dies alone.
 */
export class EmbeddedRedis {
  private readonly log = new Logger('EmbeddedRedis');
  private child: ChildProcess | undefined;
  private stopping = false;
  private restarts = 0;
  private restartTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly program: string,
    private readonly configFile: string,
    private readonly folder: string,
    /** Path of the unix socket; the same for every restart. */
    readonly socketPath: string,
  ) {}

  /**
   * Starts the server and waits until it accepts connections.
   * Resolves to undefined when the program is not installed or does not start; the reason is logged once.
   */
  static async start(configFile: string): Promise<EmbeddedRedis | undefined> {
    const program = findProgram('redis-server');
    if (program === undefined) return undefined;
    const folder = socketFolder();
    const server = new EmbeddedRedis(program, configFile, folder, join(folder, 'redis.sock'));
    server.spawn();
    if (await server.accepts(startLimitMs)) return server;
    server.log.warn(`${program} did not accept connections within ${startLimitMs} ms`);
    await server.stop();
    return undefined;
  }

  /** Ends the server and waits until it is gone, at most 1.5 s; then it is killed. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const child = this.child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
      child.ref(); // stopping is worth waiting for
      child.stdin?.end();
      const limit = new AbortController();
      await Promise.race([gone, sleep(stopLimitMs, undefined, { signal: limit.signal }).catch(ignoreAbort)]);
      limit.abort();
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        process.kill(-child.pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private spawn(): void {
    const startedAt = performance.now();
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const overrides = [
      '--port',
      '0',
      '--unixsocket',
      this.socketPath,
      '--unixsocketperm',
      '700',
      '--dir',
      this.folder,
      '--logfile',
      '',
      '--daemonize',
      'no',
    ];
    const child = spawn(
      '/bin/sh',
      ['-c', guardian, 'redis-guardian', this.folder, this.program, this.configFile, ...overrides],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
        detached: true,
      },
    );
    this.child = child;
    child.stdin?.on('error', error =>
      this.log.debug(`the pipe to the private redis-server broke: ${error.message}`),
    );
    child.once('error', error =>
      this.log.warn(`the private redis-server cannot be started: ${error.message}`),
    );
    child.once('exit', (code, signal) => {
      if (!this.stopping)
        this.restartLater(signal ?? `exit code ${code ?? 'unknown'}`, performance.now() - startedAt);
    });
    child.unref();
    (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  private restartLater(reason: string, livedMs: number): void {
    if (livedMs > longLifeMs) this.restarts = 0;
    const delayMs = restartDelaysMs[Math.min(this.restarts, restartDelaysMs.length - 1)] ?? 0;
    this.restarts += 1;
    this.log.warn(`the private redis-server died (${reason}); it starts again in ${delayMs} ms`);
    this.restartTimer = setTimeout(() => this.spawn(), delayMs).unref();
  }

  private async accepts(limitMs: number): Promise<boolean> {
    for (const deadline = performance.now() + limitMs; performance.now() < deadline; await sleep(10)) {
      if (await canConnect(this.socketPath)) return true;
    }
    return false;
  }
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}

function canConnect(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false)); // not listening yet: the caller asks again until its limit
  });
}

/** A fresh folder that only this user can enter, with a path short enough for a socket in it. */
function socketFolder(): string {
  const longestInside = Buffer.byteLength('/sutazai-redis-XXXXXX/redis.sock');
  const base = Buffer.byteLength(tmpdir()) + longestInside <= maxSocketPathBytes ? tmpdir() : '/tmp';
  return mkdtempSync(join(base, 'sutazai-redis-'));
}

function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.isFile() && (stats.mode & 0o111) !== 0;
}
