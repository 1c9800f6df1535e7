import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
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
    private readonly folder: string,
    /** After so long the instances of this server give up a command; as many again, and they give up the connection. */
    readonly commandTimeoutMs: number,
  ) {}

  static async start(commandTimeoutMs = defaultCommandTimeoutMs): Promise<RedisServer> {
    const folderOf = (): string => mkdtempSync(join(tmpdir(), 'sutazai-redis-'));
    return onFreePort(freePort, port => new RedisServer(port, folderOf(), commandTimeoutMs));
  }

  /** A server that another process has started, to connect to. */
  static at(port: number): RedisServer {
    return new RedisServer(port, '', defaultCommandTimeoutMs);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Of the process. @throws when there is none now */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the server is not running');
    return this.#child.pid;
  }

  /** Starts the process and waits until it answers; one that loads its data answers when it has done so. @throws when it ends before */
  async up(extra: Record<string, string> = {}): Promise<void> {
    const child = this.begin(extra);
    const probe = new Redis(this.port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    probe.on('error', () => undefined);
    try {
      await Promise.race([probe.ping(), endOf(child)]);
    } finally {
      probe.disconnect();
    }
  }

  /** Starts the process, with settings that replace the usual ones, and does not wait for it. */
  begin(extra: Record<string, string> = {}): ChildProcess {
    const settings = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.folder,
      save: '',
      appendonly: 'no',
      'enable-debug-command': 'yes',
      ...extra,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return (this.#child = spawn('redis-server', args, { stdio: 'ignore' }));
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
    const timeouts = { commandTimeout: this.commandTimeoutMs, socketTimeout: 2 * this.commandTimeoutMs };
    const client = new Redis({ port: this.port, host: '127.0.0.1', ...clientOptions, ...timeouts, ...extra });
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
    if (this.folder !== '') rmSync(this.folder, { recursive: true, force: true });
  }
}

/** As the application has it. */
const defaultCommandTimeoutMs = 300;
/** For tests that are not about a slow Redis: on a busy machine a healthy one takes its time too. */
export const patientCommandTimeoutMs = 5_000;

const clientOptions: RedisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 1_000,
  lazyConnect: true,
  retryStrategy: attempt => Math.min(50 * 2 ** attempt, 500),
  disableClientInfo: true,
};

export async function freePort(): Promise<number> {
  const server = await listening(0);
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** Listens on this port, or on any for 0. @throws when somebody else does */
export function listening(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/**
 * Starts a server that listens where nobody did a moment ago. Until it does, somebody else may: with many tests side by side
 * that happens, and the server ends.
 */
export async function onFreePort<S extends { up(): Promise<void>; stop(): Promise<void> }>(
  find: () => Promise<number>,
  serverOn: (port: number) => S,
): Promise<S> {
  for (let attempt = 1; ; attempt += 1) {
    const server = serverOn(await find());
    try {
      await server.up();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === maxPortsTried) throw error;
    }
  }
}

const maxPortsTried = 5;

/** Rejects when a server ends: whoever waits for its answer would wait for ever. */
export function endOf(child: ChildProcess): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`a server ended with ${String(code)}`)));
  });
  // Afterwards its end is nobody's business here.
  ended.catch(() => undefined);
  return ended;
}
