import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { settingsTable } from '../../../src/config/app-config';
import { documentOf, holdRawToDocument, holdToDocument } from './api-document';
import { eventually } from './eventually';
import { putEmptyDatabase } from './empty-database';
import { databaseOnSharedServer } from './shared-postgres';
import { freePort } from './free-port';

const root = resolve(__dirname, '../../..');
const main = join(root, 'dist', 'main.js');
const startLimitMs = 30_000;

/** Settings that make a test quiet and free of limits; each can be set otherwise. `undefined` means not set. */
const quiet: Record<string, string | undefined> = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'warn',
  RATE_LIMIT: 'off',
  REDIS_URL: 'off',
  HARDWARE_MONITORING: 'off', // what it asks of the database would be counted among what a test asks
};

/** Those still running; whatever a failed test left behind ends with its file. */
const running = new Set<Application>();
afterAll(async () => {
  await Promise.all([...running].map(app => app.stop('SIGKILL')));
});

export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  /** The parsed body when it is JSON, otherwise undefined. */
  body: T;
  text: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The built application as a process of its own, over real HTTP, with a folder of its own for data. */
export class Application {
  readonly exited: Promise<Exit>;
  private text = '';

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly port: number,
    readonly dataDir: string,
    private readonly ownsDataDir: boolean,
  ) {
    const collect = (chunk: Buffer): void => void (this.text += chunk.toString('utf8'));
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    running.add(this);
    this.exited = new Promise(done =>
      child.once('close', (code, signal) => (running.delete(this), done({ code, signal }))),
    );
  }

  /** Starts a process without waiting for it to answer; for starts that are meant to fail. */
  static async spawn(env: Record<string, string | undefined> = {}): Promise<Application> {
    if (!existsSync(main)) throw new Error('dist/main.js is missing: run npm test, or npm run build first');
    const port = env['PORT'] === undefined ? await freePort() : Number(env['PORT']);
    const dataDir = env['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'sutazai-e2e-'));
    const database = await databaseFor(env, dataDir);
    const inherited = { ...process.env };
    for (const { env: name } of settingsTable()) delete inherited[name];
    const all = { ...inherited, ...quiet, PORT: String(port), DATA_DIR: dataDir, ...database, ...env };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const child = spawn(process.execPath, [main], {
      cwd: root,
      env: given,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Application(child, `http://127.0.0.1:${port}`, port, dataDir, env['DATA_DIR'] === undefined);
  }

  /** Starts a process and waits until it answers. */
  static async start(env: Record<string, string | undefined> = {}): Promise<Application> {
    const app = await Application.spawn(env);
    const early = app.exited.then(({ code, signal }) => {
      throw new Error(`the application ended at its start (${signal ?? code ?? ''}):\n${app.output}`);
    });
    early.catch((error: Error) => error); // raced below; after the start its end is no error
    await Promise.race([early, eventually(() => fetch(`${app.url}/`), startLimitMs)]);
    await documentOf(app.url); // not in the middle of a test
    return app;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** What it has written so far, to both streams. */
  get output(): string {
    return this.text;
  }

  /** Its answer is held against the OpenAPI document: a test fails when they do not agree. Text and bytes are sent as they are. */
  async request<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const isSentAsItIs = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isSentAsItIs ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    const answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text !== '' ? JSON.parse(text) : undefined) as T,
    };
    await holdToDocument(this.url, method, path, answer);
    return answer;
  }

  get<T = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Answer<T>> {
    return this.request<T>('GET', path, undefined, headers);
  }

  post<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>> {
    return this.request<T>('POST', path, body, headers);
  }

  patch<T = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>> {
    return this.request<T>('PATCH', path, body, headers);
  }

  delete<T = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Answer<T>> {
    return this.request<T>('DELETE', path, undefined, headers);
  }

  /** Sends bytes as they are, for requests that a client library would tidy up; resolves to all that came back when the connection closes. `localAddress` is whom it comes from. */
  async raw(bytes: string | Buffer, limitMs = 5_000, localAddress = '127.0.0.1'): Promise<string> {
    const answer = await new Promise<string>((done, fail) => {
      const socket = connect({ port: this.port, host: '127.0.0.1', localAddress }, () => socket.write(bytes));
      let text = '';
      socket.setTimeout(limitMs, () => (socket.destroy(), done(text)));
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      socket.once('error', fail);
      socket.once('close', () => done(text));
    });
    await holdRawToDocument(this.url, bytes.toString('latin1'), answer);
    return answer;
  }

  /** Sends it a signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Signals the process and waits for its end; removes its folder. Safe to call twice. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const exit = await this.exited;
    if (this.ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true });
    return exit;
  }
}

/**
 * The database of an application that names none: embedded, or with `npm run e2e:postgres` one of its own on the server that
 * all tests share, under the name of its folder, so that a restart finds it again. `DATABASE_URL: undefined` insists on the
 * embedded one.
 */
async function databaseFor(
  env: Record<string, string | undefined>,
  dataDir: string,
): Promise<{ DATABASE_URL?: string }> {
  if (env['DATABASE_URL'] !== undefined) return {};
  const url = 'DATABASE_URL' in env ? undefined : await databaseOnSharedServer(dataDir);
  if (url !== undefined) return { DATABASE_URL: url };
  if (!existsSync(join(dataDir, 'pg'))) putEmptyDatabase(dataDir);
  return {};
}
