import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { disconnect } from '../../src/cache/redis/disconnect';

/** A real redis-server of a test: own port, own folder, no snapshots; it can be killed, paused and started again. */
export class RedisServer {
  #child: ChildProcess | undefined;
  readonly #clients = new Set<Redis>();
  #admin: Redis | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string | undefined,
  ) {}

  /** One that another process has started, for clients of it. */
  static at(port: number): RedisServer {
    return new RedisServer(port, undefined);
  }

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), 'sutazai-redis-')));
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Of the process. @throws when there is none now */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server is not running');
    return this.#child.pid;
  }

  /** Starts the process and waits until it answers. */
  async up(): Promise<void> {
    if (this.folder === undefined) throw new Error('this server is run by another process');
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      save: '',
      appendonly: 'no',
      'enable-debug-command': 'yes',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#child = spawn('redis-server', args, { stdio: 'ignore' });
    const probe = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    probe.on('error', () => undefined);
    await probe.ping();
    probe.disconnect();
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** A client with the options of the application. */
  client(extra: RedisOptions = {}): Redis {
    const client = new Redis({ port: this.port, host: '127.0.0.1', ...clientOptions, ...extra });
    client.on('error', () => undefined);
    this.#clients.add(client);
    return client;
  }

  /** A plain client for a test's own look at the server. */
  admin(): Redis {
    this.#admin ??= this.client({
      lazyConnect: false,
      enableOfflineQueue: true,
      commandTimeout: 5_000,
      socketTimeout: 10_000,
      maxRetriesPerRequest: 20,
    });
    return this.#admin;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#clients].map(disconnect));
    this.signal('SIGCONT');
    await this.kill();
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

const clientOptions: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 300,
  socketTimeout: 600,
  connectTimeout: 1_000,
  lazyConnect: true,
  retryStrategy: attempt => Math.min(50 * 2 ** attempt, 500),
  disableClientInfo: true,
};

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
