import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge, type Acknowledged, type Read, type Staleness } from '../hit-rate/judge';
import { classes } from '../hit-rate/workload';
import { routeHeader } from './messages';
import { agentId, keyOfAgent, targetOf, type PlannedRequest } from './traffic';

/** What one side of the comparison came to, as its client saw it. */
export interface Played {
  /** Requests by route. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests that were not answered as they should be, by route and status. */
  readonly failures: Readonly<Record<string, number>>;
  /** Agents and settings in answers, against the changes that had been acknowledged before the request began. */
  readonly staleness: Staleness;
  /** Requests with a key after its revocation had been acknowledged, and how many of them were let in. */
  readonly revoked: { readonly tried: number; readonly admitted: number };
  /** How late requests began, the 99th percentile. Milliseconds. */
  readonly lateP99Ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Keys of the database, by rank, and how one is replaced by another. */
export interface Sessions {
  keyOf(rank: number): { id: string; key: string };
  replace(rank: number): Promise<void>;
  close(): Promise<void>;
}

const agents = classes.findIndex(({ name }) => name === 'query');
const settings = classes.findIndex(({ name }) => name === 'settings');
/**
 * Requests under way at most; the others wait for their turn, late. So each is answered on both sides, and what it asked for is
 * counted, also where one side is not up to the rate.
 */
const maxOpen = 64;

/** Sends the plan to an instance at its times, whatever becomes of the requests before: open loop, as far as `maxOpen` lets it. */
export class Player {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #requests: Record<string, number> = {};
  readonly #failures: Record<string, number> = {};
  readonly #reads: Read[] = [];
  readonly #changes: Acknowledged[] = [];
  readonly #late: number[] = [];
  readonly #durations: number[] = [];
  /** The last version that each agent was given, and the change of it that is under way: one after the other. */
  readonly #versions = new Map<number, number>();
  readonly #writing = new Map<string, Promise<void>>();
  readonly #revoked = { tried: 0, admitted: 0 };
  #pulled = 0;

  constructor(
    private readonly port: number,
    private readonly adminKey: string,
    private readonly sessions: Sessions,
    private readonly boundMs: number,
  ) {}

  /** Requests by route so far. */
  get requests(): Readonly<Record<string, number>> {
    return { ...this.#requests };
  }

  async play(plan: readonly PlannedRequest[], onProgress: (share: number) => void): Promise<Played> {
    const startMs = performance.now();
    const open = new Set<Promise<void>>();
    for (const [at, planned] of plan.entries()) {
      const waitMs = startMs + planned.at * 1_000 - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      while (open.size >= maxOpen) await Promise.race(open);
      this.#late.push(performance.now() - startMs - planned.at * 1_000);
      const run = this.#run(planned).finally(() => open.delete(run));
      open.add(run);
      onProgress((at + 1) / plan.length);
    }
    await Promise.all(open);
    this.#agent.destroy();
    return {
      requests: this.#requests,
      failures: this.#failures,
      staleness: judge(this.#reads, this.#changes, this.boundMs),
      revoked: this.#revoked,
      lateP99Ms: quantile(this.#late, 0.99),
      p50Ms: quantile(this.#durations, 0.5),
      p99Ms: quantile(this.#durations, 0.99),
    };
  }

  async #run(planned: PlannedRequest): Promise<void> {
    if (planned.kind === 'read') await this.#read(planned);
    else
      await this.#inTurn(`${planned.of === 'query' ? 'agents' : planned.of} ${planned.key}`, () =>
        this.#write(planned),
      );
  }

  async #read({ of, key }: PlannedRequest): Promise<void> {
    if (of === 'heartbeat') return;
    const { route, path } = targetOf(of, key);
    const startMs = performance.now();
    const session = of === 'session' ? this.sessions.keyOf(key) : undefined;
    const { status, body } = await this.#ask('GET', route, path, undefined, session?.key);
    this.#durations.push(performance.now() - startMs);
    // A key that is revoked while a request is on its way may be refused.
    if (status !== 200 && !(session && status === 401)) this.#fail(route, status);
    else if (of === 'agents' || of === 'query') this.#noteAgents(body, startMs);
    else if (of === 'settings')
      this.#note(settings, 0, (JSON.parse(body) as { version: number }).version, startMs);
  }

  async #write({ of, key }: PlannedRequest): Promise<void> {
    const api = '/api/v1';
    switch (of) {
      case 'agents':
      case 'query': {
        const version = (this.#versions.get(key) ?? 0) + 1;
        this.#versions.set(key, version);
        const path = `${api}/agents/${agentId(key)}`;
        if (await this.#change('PATCH', `${api}/agents/{id}`, path, { description: `v${version}` }))
          this.#acknowledge(agents, key, version);
        return;
      }
      case 'settings': {
        const change = { performance: { agents_page_size: 40 + (key % 10) } };
        const body = await this.#change('PATCH', `${api}/settings`, `${api}/settings`, change);
        if (body) this.#acknowledge(settings, 0, (JSON.parse(body) as { version: number }).version);
        return;
      }
      case 'models':
        await this.#change('POST', `${api}/models/pull`, `${api}/models/pull`, {
          name: `pulled-${(this.#pulled += 1)}:1b`,
        });
        return;
      case 'session':
        return this.#revoke(key);
      case 'health':
      case 'metrics':
      case 'hardware':
        return; // nothing in the workload changes them
      case 'heartbeat':
        await this.#change(
          'POST',
          `${api}/agents/{id}/heartbeat`,
          `${api}/agents/${agentId(key)}/heartbeat`,
          {},
        );
        return;
    }
  }

  /** Revokes the key of a session, and looks whether it still opens anything. */
  async #revoke(rank: number): Promise<void> {
    const { id, key } = this.sessions.keyOf(rank);
    await this.sessions.replace(rank);
    const route = '/api/v1/admin/keys/{id}';
    if (!(await this.#change('DELETE', route, `/api/v1/admin/keys/${id}`))) return;
    const { route: read, path } = targetOf('session', rank);
    const { status } = await this.#ask('GET', read, path, undefined, key);
    this.#revoked.tried += 1;
    if (status === 200) this.#revoked.admitted += 1;
  }

  /** The body of what was answered, when it was answered well. */
  async #change(method: string, template: string, path: string, body?: object): Promise<string | undefined> {
    const route = `${method} ${template}`;
    const answer = await this.#ask(method, route, path, body, this.adminKey);
    if (answer.status < 300) return answer.body;
    this.#fail(route, answer.status);
    return undefined;
  }

  /** Changes of one record one after the other, so that the last that is acknowledged is the last that was made. */
  #inTurn(record: string, work: () => Promise<void>): Promise<void> {
    const run = (this.#writing.get(record) ?? Promise.resolve()).then(work);
    this.#writing.set(record, run);
    return run;
  }

  #noteAgents(body: string, startMs: number): void {
    const parsed = JSON.parse(body) as { agents?: AgentBody[] } & AgentBody;
    for (const { id, description } of parsed.agents ?? [parsed])
      if (/^v\d+$/.test(description ?? ''))
        this.#note(agents, keyOfAgent(id), Number(description!.slice(1)), startMs);
  }

  #note(of: number, key: number, version: number, startMs: number): void {
    this.#reads.push({
      ...{ instance: 0, of, key, version, startMs },
      ...{ durationMs: 0, lateMs: 0, outcome: 'unknown' },
    });
  }

  #acknowledge(of: number, key: number, version: number): void {
    this.#changes.push({ instance: 0, of, key, version, atMs: performance.now() });
  }

  #fail(route: string, what: number | string): void {
    const name = `${route}: ${what}`;
    this.#failures[name] = (this.#failures[name] ?? 0) + 1;
  }

  #ask(method: string, route: string, path: string, body?: object, key?: string): Promise<Answer> {
    this.#requests[route] = (this.#requests[route] ?? 0) + 1;
    const text = body && JSON.stringify(body);
    const headers = {
      [routeHeader]: route,
      ...(key !== undefined && { 'X-API-Key': key }),
      ...(text !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }),
      // Whatever is there: others change it as well.
      ...(method === 'PATCH' && { 'If-Match': '*' }),
    };
    return new Promise(resolve => {
      const failed = (error: Error): void => {
        this.#fail(route, error.message);
        resolve({ status: 0, body: '' });
      };
      const sent = httpRequest(
        { host: '127.0.0.1', port: this.port, method, path, headers, agent: this.#agent, timeout: 30_000 },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', failed);
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
          );
        },
      );
      sent.once('timeout', () => sent.destroy(new Error('timeout')));
      sent.once('error', failed);
      sent.end(text);
    });
  }
}

interface AgentBody {
  readonly id: string;
  readonly description: string | null;
}

function quantile(values: number[], share: number): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
