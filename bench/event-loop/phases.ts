import { AgentServer } from '../../test/e2e/harness/agent-server';
import { OllamaServer } from '../../test/fakes/ollama-server';

/** What goes on beside the cached requests; `round` is done again and again until the time is up. */
export interface Phase {
  name: string;
  env?: Readonly<Record<string, string>>;
  /** Arguments of the instance. */
  args?: readonly string[];
  streams?: number;
  round?: (url: string) => Promise<void>;
}

/** In production only who has a key may administer. */
export const adminKey = 'benchmark-admin-key-0123456789abcdef';
const hardware = '/api/v1/hardware';
const agents = 10_000;
const probedAgents = 1_000;

export const get = async (url: string): Promise<void> => void (await textOf(await fetch(url)));
export const statusOf = (url: string): string => `${url}${hardware}/status`;
export const streamOf = (url: string): string => `${url}${hardware}/metrics/stream?interval=1`;

async function textOf(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered with ${response.status}: ${text}`);
  return text;
}

async function post(url: string, body: unknown): Promise<string> {
  const headers = { 'Content-Type': 'application/json', 'X-API-Key': adminKey };
  return textOf(await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }));
}

const anew =
  (...routes: string[]) =>
  async (url: string): Promise<void> => {
    await post(`${url}/api/v1/cache/invalidate`, ['hardware']);
    await Promise.all(routes.map(route => get(`${url}${hardware}/${route}`)));
  };

/** A task, to its end. */
const task =
  (name: string, body: unknown) =>
  async (url: string): Promise<void> => {
    const path = `${url}${hardware}/${name}`;
    const { id } = JSON.parse(await post(path, body)) as { id: string };
    for (let status = ''; status !== 'done';) {
      ({ status } = JSON.parse(await textOf(await fetch(`${path}/${id}`))) as { status: string });
      if (['failed', 'cancelled', 'interrupted'].includes(status)) throw new Error(`${name} has ${status}`);
    }
  };

/** The phases, and the servers that they need, which `stop` ends. */
export async function prepare(): Promise<{ phases: readonly Phase[]; stop: () => Promise<void> }> {
  const [agent, ollama] = await Promise.all([AgentServer.start(), OllamaServer.start()]);
  const watched = {
    AGENTS_WATCH_INTERVAL_MS: '500',
    AGENTS_OFFLINE_AFTER_MS: '90000',
    AGENTS_PROBE_PRIVATE: 'on',
  };
  const phases: Phase[] = [
    { name: 'cached requests alone' },
    {
      name: 'metrics, status and health read anew',
      round: anew('metrics?include_gpu=true', 'status', 'health'),
    },
    { name: 'processes read anew', round: anew('processes?limit=500', 'metrics?include_processes=true') },
    { name: 'stream to 32 clients each second', streams: 32 },
    {
      name: 'a week analysed anew',
      round: anew('analyze/performance', 'analyze/capacity', 'recommendations'),
    },
    {
      name: `${agents} agents watched, ${probedAgents} of them probed`,
      env: watched,
      args: [String(agents), String(probedAgents), agent.url],
    },
    { name: 'benchmarks, one after the other', round: task('benchmark', { duration_ms: 200 }) },
    { name: 'optimisations, one after the other', round: task('optimize', {}) },
    {
      name: 'models pulled, one after the other',
      env: { OLLAMA_URL: ollama.url },
      round: async url => void (await post(`${url}/api/v1/models/pull`, { name: 'new:1b' })),
    },
  ];
  return { phases, stop: async () => void (await Promise.all([agent.stop(), ollama.stop()])) };
}
