import { classes, workload, type ClassName } from '../hit-rate/workload';

/** Agents in the database, one for each key of the class `query`. */
export const agentCount = classes.find(({ name }) => name === 'query')!.keys;
/** Admin keys in the database, one for each session. */
export const sessionCount = classes.find(({ name }) => name === 'session')!.keys;

/** One request of the plan. */
export interface PlannedRequest {
  /** Seconds since the start. */
  readonly at: number;
  /** The class of traffic that it is of. */
  readonly of: ClassName | 'heartbeat';
  readonly kind: 'read' | 'write';
  /** Rank of what is asked for within its class, the most read first. */
  readonly key: number;
}

/** What a read asks for. */
export interface Target {
  /** As the documentation writes it; what is asked of the database is told by it. */
  readonly route: string;
  readonly path: string;
}

/**
 * The traffic of `bench/hit-rate` as requests to one instance, with heartbeats of agents as often as their records change, where
 * there is a route for them. The same seed, the same requests.
 *
 * @param share of the rate that it has there; reads and writes in the same proportions
 */
export function traffic(
  seed: number,
  seconds: number,
  share: number,
  withHeartbeats: boolean,
): PlannedRequest[] {
  const nameOf = (of: number): ClassName => classes[of]!.name as ClassName;
  const requests: PlannedRequest[] = workload(seed, seconds * share, 1).map(({ at, of, kind, key }) => ({
    ...{ at: at / share, of: nameOf(of), kind, key },
  }));
  if (withHeartbeats)
    for (const { at, of, kind, key } of workload(seed + 1, seconds * share, 1))
      if (nameOf(of) === 'query' && kind === 'write')
        requests.push({ at: at / share, of: 'heartbeat', kind: 'write', key });
  return requests.sort((a, b) => a.at - b.at);
}

export function agentId(key: number): string {
  return `agent-${String(key).padStart(5, '0')}`;
}

export function keyOfAgent(id: string): number {
  return Number(id.slice('agent-'.length));
}

export const modelNames = Array.from({ length: 11 }, (_, at) => `model-${at}:8b`);
export const capabilities = ['planning', 'search', 'summaries', 'translation'];
const statuses = ['healthy', 'unhealthy', 'offline', 'unknown'];
const limits = [20, 50, 10, 100];

const pages = [undefined, ...capabilities].flatMap(capability =>
  [undefined, ...statuses].flatMap(status =>
    limits.map(limit => {
      const query = new URLSearchParams({ limit: String(limit) });
      if (status !== undefined) query.set('status', status);
      if (capability !== undefined) query.set('capability', capability);
      return String(query);
    }),
  ),
);

const api = '/api/v1';
const plain = (paths: readonly string[]): Target[] =>
  paths.map(path => ({ route: `GET ${path.split('?')[0]!}`, path }));

/** The real routes that a class is of, by rank; a class with more ranks than routes begins again. */
const targets: Readonly<Record<Exclude<ClassName, 'query'>, readonly Target[]>> = {
  health: plain([`${api}/health/detailed`, '/health/ready', '/health']),
  metrics: plain([`${api}/metrics`, `${api}/status`]),
  agents: plain(pages.map(query => `${api}/agents?${query}`)),
  settings: [
    ...plain([`${api}/settings`]),
    ...[
      ...['performance', 'features', 'performance.agents_page_size', 'features.agent_registration'],
      ...['performance.agents_max_page_size', 'features.agent_removal'],
    ].map(key => ({ route: `GET ${api}/settings/{key}`, path: `${api}/settings/${key}` })),
  ],
  hardware: plain([
    ...[`${api}/hardware/status`, `${api}/hardware/health`, `${api}/hardware/metrics`],
    `${api}/hardware/metrics?include_network=false`,
  ]),
  models: [
    ...plain([`${api}/models`]),
    ...modelNames.map(name => ({ route: `GET ${api}/models/{name}`, path: `${api}/models/${name}` })),
  ],
  // Asks the database for nothing but whose key it is.
  session: [{ route: `GET ${api}/models/pulls`, path: `${api}/models/pulls` }],
};

export function targetOf(of: ClassName, key: number): Target {
  if (of === 'query') return { route: `GET ${api}/agents/{id}`, path: `${api}/agents/${agentId(key)}` };
  const list = targets[of];
  return list[key % list.length]!;
}
