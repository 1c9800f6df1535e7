import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually';
import { freePort } from './free-port';

/** A real Redis on a free port of this machine, to be killed and brought back under a running application. */
export class RedisServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly extra: readonly string[],
  ) {}

  /** `extra` are options as on the command line: `['--maxmemory', '10mb']`. */
  static async start(extra: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(
      await freePort(),
      mkdtempSync(join(tmpdir(), 'sutazai-redis-test-')),
      extra,
    );
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A client for looking into the server; the caller disconnects it. */
  client(): Redis {
    const client = new Redis(this.port, '127.0.0.1', { disableClientInfo: true, ...this.login() });
    client.on('error', (error: Error) => error); // the test kills the server on purpose
    return client;
  }

  /** Starts it again on the same port, empty. */
  async up(): Promise<void> {
    const options = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      this.folder,
      ...this.extra,
    ];
    this.child = spawn('redis-server', options, { stdio: 'ignore' });
    await eventually(async () => {
      const probe = new Redis(this.port, '127.0.0.1', {
        lazyConnect: true,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
        disableClientInfo: true,
        ...this.login(),
      });
      probe.on('error', (error: Error) => error); // not up yet: the ping below tells
      try {
        await probe.connect();
        await probe.ping();
      } finally {
        probe.disconnect();
      }
    });
  }

  /** `kill -9`, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Freezes it: connections stay open and nothing answers. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The password among the options, if there is one. */
  private login(): { password?: string } {
    const password = this.extra[this.extra.indexOf('--requirepass') + 1];
    return this.extra.includes('--requirepass') && password !== undefined ? { password } : {};
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise(resolve => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}
