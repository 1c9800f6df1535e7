import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { eventually } from './eventually';
import { freePort } from './free-port';
import { isThere } from './is-there';

/** A real PostgreSQL server on a free port of this machine, with a folder of its own. As root it runs as the user `postgres`, because it refuses root. */
export class PostgresServer {
  private starter: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly maxConnections: number,
  ) {}

  static async start(maxConnections = 100): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sutazai-postgres-'));
    if (isRoot()) run(['chown', 'postgres', folder]);
    const data = join(folder, 'data');
    run(
      asServer([
        program('initdb'),
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'trust',
        '-E',
        'UTF8',
        '--locale=C',
        '--no-sync',
      ]),
    );
    const server = new PostgresServer(await freePort(), folder, maxConnections);
    await server.up();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** A fresh database on this server; its URL. */
  async createDatabase(name: string): Promise<string> {
    await this.query(`CREATE DATABASE "${name}"`);
    return `postgres://postgres@127.0.0.1:${this.port}/${name}`;
  }

  /** Runs SQL; resolves to the rows. */
  async query<T = Record<string, unknown>>(
    sql: string,
    parameters: unknown[] = [],
    url = this.url,
  ): Promise<T[]> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', (error: Error) => error); // the test kills the server on purpose
    await client.connect();
    try {
      return (await client.query(sql, parameters)).rows as T[];
    } finally {
      await client.end();
    }
  }

  /** Starts it again with the data it had. */
  async up(): Promise<void> {
    const data = join(this.folder, 'data');
    const options = [
      '-p',
      String(this.port),
      '-k',
      this.folder,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'fsync=off',
      '-c',
      'full_page_writes=off',
      '-c',
      `max_connections=${this.maxConnections}`,
    ];
    const [command = '', ...args] = asServer([program('postgres'), '-D', data, ...options]);
    this.starter = spawn(command, args, { stdio: 'ignore', cwd: '/' });
    this.starter.unref();
    await eventually(() => this.query('SELECT 1'), 30_000, 50);
  }

  /** `kill -9` of the server and all of its processes, and waits until nobody listens. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** `kill -STOP` of the server and all of its processes, as on a host that hangs: connections stand, and nothing is answered. */
  freeze(): void {
    for (const pid of [...this.pids(), ...this.processes()]) signal(pid, 'SIGSTOP');
  }

  /** The server goes on and takes connections; the processes that had some stay frozen. */
  thawServer(): void {
    for (const pid of this.pids()) signal(pid, 'SIGCONT');
    this.starter?.kill('SIGCONT'); // runuser stops when what it runs does
  }

  /** All of it goes on. */
  thaw(): void {
    const frozen = this.processes();
    this.thawServer();
    for (const pid of frozen) signal(pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.end('SIGINT'); // "fast": ends open transactions
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    for (const pid of this.pids()) {
      process.kill(pid, signal);
      await eventually(() => {
        if (isThere(pid)) throw new Error(`PostgreSQL (${pid}) is still there`);
      });
    }
  }

  /** Of the server itself: one, or none when it does not run. */
  private pids(): number[] {
    const file = join(this.folder, 'data', 'postmaster.pid');
    if (!existsSync(file)) return [];
    return [Number(readFileSync(file, 'utf8').split('\n')[0])].filter(isThere);
  }

  /** Those that it has started, one for each connection among them. */
  private processes(): number[] {
    return this.pids().flatMap(pid => {
      const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
      return stdout.split('\n').filter(Boolean).map(Number);
    });
  }
}

function program(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const debian = '/usr/lib/postgresql';
  if (existsSync(debian))
    folders.push(
      ...readdirSync(debian)
        .sort()
        .reverse()
        .map(version => join(debian, version, 'bin')),
    );
  const found = folders.map(folder => join(folder, name)).find(path => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} of PostgreSQL is not installed: run npm test, or apt-get install postgresql`);
  return found;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function asServer(command: readonly string[]): string[] {
  return isRoot() ? ['runuser', '-u', 'postgres', '--', ...command] : [...command];
}

function run([command = '', ...args]: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ''} failed: ${error?.message ?? stderr}`);
}

/** One that has ended meanwhile needs none. */
function signal(pid: number, name: NodeJS.Signals): void {
  if (isThere(pid)) process.kill(pid, name);
}
