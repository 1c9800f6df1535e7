import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { disconnect } from '../../src/cache/redis/disconnect';
import { endOf, freePort, listening, onFreePort } from './redis-server';

/** A Redis or a Sentinel of a test, in a folder of its own. Debian packs the program redis-sentinel apart; redis-server is both. */
export class RedisProcess {
  #child: ChildProcess | undefined;
  #admin: Redis | undefined;
  readonly folder = mkdtempSync(join(tmpdir(), 'sutazai-redis-'));

  private constructor(
    readonly port: number,
    private readonly role: 'server' | 'sentinel',
    private readonly settings: string,
  ) {}

  static async server(settings: Record<string, string | number> = {}): Promise<RedisProcess> {
    const usual = { bind: '127.0.0.1', save: '""', appendonly: 'no', 'enable-debug-command': 'yes' };
    const lines = Object.entries({ ...usual, ...settings }).map(([name, value]) => `${name} ${value}`);
    return onFreePort(freeBusPort, port => new RedisProcess(port, 'server', lines.join('\n')));
  }

  static async sentinel(settings: string): Promise<RedisProcess> {
    const lines = `bind 127.0.0.1\n${settings}`;
    return onFreePort(freePort, port => new RedisProcess(port, 'sentinel', lines));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the process and waits until it answers. @throws when it ends before that */
  async up(): Promise<void> {
    const file = join(this.folder, 'redis.conf');
    writeFileSync(file, `port ${this.port}\ndir ${this.folder}\n${this.settings}\n`);
    this.#child = spawn('redis-server', this.role === 'sentinel' ? [file, '--sentinel'] : [file], {
      stdio: 'ignore',
    });
    await Promise.race([this.admin().ping(), endOf(this.#child)]);
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

  /** A plain client for a test's own look at the server. It waits as long as it takes. */
  admin(): Redis {
    if (!this.#admin) {
      this.#admin = new Redis(this.port, '127.0.0.1', {
        retryStrategy: () => 20,
        maxRetriesPerRequest: null,
        enableReadyCheck: false,
        disableClientInfo: true,
      });
      this.#admin.on('error', () => undefined); // it goes on trying
    }
    return this.#admin;
  }

  async stop(): Promise<void> {
    if (this.#admin) await disconnect(this.#admin);
    this.signal('SIGCONT');
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** redis-cli, for what it does in many commands. @throws with what it says when it fails */
export function redisCli(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('redis-cli', args, { encoding: 'utf8' });
  if (status !== 0 || stdout.startsWith('[ERR]'))
    throw new Error(`redis-cli ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** One whose bus in a Cluster, 10,000 ports higher, has a free port too. */
async function freeBusPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port + 10_000 >= 65_536) continue;
    const bus = await listening(port + 10_000).catch(() => undefined);
    if (!bus) continue;
    await new Promise(resolve => bus.close(resolve));
    return port;
  }
}
