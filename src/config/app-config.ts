import { z } from 'zod';
import { adminKeys } from './admin-keys';
import { cleanupFolders } from './cleanup-folders';
import { nameOfHost } from './host-id';
import { hostNames } from './host-names';
import { rateLimit } from './rate-limit';
import { redisUrl } from './redis-url';
import { registryHosts } from './registry-hosts';
import { rowsOf, section, type SettingRow } from './section';
import { cronOrOff, oneOf, onOff, setting, text, url, wholeNumber } from './setting';
import { trustedProxies, type TrustedProxy } from './trusted-proxies';

export type Environment = 'development' | 'production' | 'test';

/** What may be logged: each level has the lines of those before it; `silent` has none. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const httpUrl = url(['http:', 'https:'], 'an http:// or https:// URL');
const postgresUrl = url(['postgres:', 'postgresql:'], 'postgres://user:password@host:port/database');

/**
 * Every setting: how it is read, its default, its unit and what it means. This is the one place where they are written;
 * the table in the README is checked against it. Paths are the keys of `config/*.yaml`.
 */
export const settingsSchema = z.strictObject({
  environment: setting<Environment>(oneOf('development', 'production', 'test'), 'development', {
    env: 'NODE_ENV',
    description: 'development, production or test; also names the file config/<environment>.yaml.',
  }),
  server: section({
    port: setting(wholeNumber(0, 65_535), 10_010, {
      env: 'PORT',
      description: 'TCP port; 0 takes a free one.',
    }),
    host: setting<string | undefined>(
      text(/^[0-9A-Za-z.:_-]{1,255}$/, 'a host name or an IP address'),
      undefined,
      {
        env: 'HOST',
        description: 'Address to listen on.',
        defaultText: '127.0.0.1; in production 0.0.0.0',
      },
    ),
    allowedHosts: setting<readonly string[]>(hostNames, [], {
      env: 'ALLOWED_HOSTS',
      description:
        'Comma list of host names that requests may ask for; others get 421, except probes under /health.',
      defaultText: 'any',
    }),
    trustedProxies: setting<readonly TrustedProxy[]>(trustedProxies, [], {
      env: 'TRUSTED_PROXIES',
      description:
        'Comma list of addresses and networks of proxies; from them alone X-Forwarded-For is read, for the limits of clients.',
      defaultText: 'none: a client is the peer of its socket',
    }),
    headersTimeoutMs: setting(wholeNumber(100, 600_000), 10_000, {
      env: 'HTTP_HEADERS_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of receiving the head of a request; then 408 and the connection is closed.',
    }),
    requestTimeoutMs: setting(wholeNumber(100, 600_000), 30_000, {
      env: 'HTTP_REQUEST_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of receiving a whole request; then 408 and the connection is closed.',
    }),
    handlerTimeoutMs: setting(wholeNumber(100, 3_600_000), 60_000, {
      env: 'HTTP_HANDLER_TIMEOUT_MS',
      unit: 'ms',
      description: 'An answer that has not begun by then is a 503; streams that have begun go on.',
    }),
    maxConnections: setting(wholeNumber(1, 1_000_000), 10_000, {
      env: 'HTTP_MAX_CONNECTIONS',
      unit: 'connections',
      description: 'Connections at once; further ones are closed at once.',
    }),
    maxRequestsPerSocket: setting(wholeNumber(0, 1_000_000_000), 100_000, {
      env: 'HTTP_MAX_REQUESTS_PER_SOCKET',
      unit: 'requests',
      description: 'After so many requests a kept connection is closed; 0 sets no limit.',
    }),
  }),
  redis: section({
    url: setting<string | undefined>(redisUrl, undefined, {
      env: 'REDIS_URL',
      description:
        'The Redis that instances share: redis://…, redis+sentinel://host:port,…/master or redis+cluster://host:port,…; off runs on memory alone.',
      defaultText: 'a private redis-server when the program is installed, else memory alone',
      secret: true,
    }),
    commandTimeoutMs: setting(wholeNumber(10, 60_000), 300, {
      env: 'REDIS_COMMAND_TIMEOUT_MS',
      unit: 'ms',
      description:
        'A command without an answer by then has failed; the socket is given up after twice as long.',
    }),
    connectTimeoutMs: setting(wholeNumber(10, 60_000), 1_000, {
      env: 'REDIS_CONNECT_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of one attempt to connect.',
    }),
  }),
  database: section({
    url: setting<string | undefined>(postgresUrl, undefined, {
      env: 'DATABASE_URL',
      description: 'The PostgreSQL server that instances share.',
      defaultText: 'embedded PostgreSQL (PGlite) in DATA_DIR/pg',
      secret: true,
    }),
    dataDir: setting(text(/^[^\0]{1,4096}$/, 'a path'), 'data', {
      env: 'DATA_DIR',
      description:
        'Folder of the embedded database, relative to the working directory; one process at a time.',
    }),
    poolSize: setting(wholeNumber(1, 1_000), 10, {
      env: 'DATABASE_POOL_SIZE',
      unit: 'connections',
      description: 'Connections to the PostgreSQL server at most.',
    }),
    connectTimeoutMs: setting(wholeNumber(10, 60_000), 2_000, {
      env: 'DATABASE_CONNECT_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of waiting for a connection to the PostgreSQL server.',
    }),
    statementTimeoutMs: setting(wholeNumber(10, 600_000), 5_000, {
      env: 'DATABASE_STATEMENT_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of one SQL statement on the PostgreSQL server.',
    }),
  }),
  ollama: section({
    url: setting<string | undefined>(httpUrl, undefined, {
      env: 'OLLAMA_URL',
      description: 'The Ollama server that runs the models.',
      defaultText: 'none: the list of models is empty and says so',
      secret: true,
    }),
    maxPulls: setting(wholeNumber(1, 64), 2, {
      env: 'OLLAMA_MAX_PULLS',
      unit: 'pulls',
      description: 'Models that this instance has pulled at once; a further pull is a 429.',
    }),
    pullHosts: setting<readonly string[]>(registryHosts, ['registry.ollama.ai', 'hf.co'], {
      env: 'OLLAMA_PULL_HOSTS',
      description:
        'Comma list of hosts, with a port where it is not 443, that the name of a pulled model may begin with; off allows names without a host alone.',
    }),
    pullTimeoutMs: setting(wholeNumber(100, 604_800_000), 21_600_000, {
      env: 'OLLAMA_PULL_TIMEOUT_MS',
      unit: 'ms',
      description: 'Limit of pulling one model.',
    }),
    pullIdleMs: setting(wholeNumber(100, 290_000), 240_000, {
      env: 'OLLAMA_PULL_IDLE_MS',
      unit: 'ms',
      description: 'A pull of which Ollama says nothing for so long is given up.',
    }),
  }),
  hardware: section({
    hostId: setting<string | undefined>(
      text(/^[A-Za-z0-9._-]{1,128}$/, '1 to 128 of the characters A-Z a-z 0-9 . _ -'),
      undefined,
      {
        env: 'HARDWARE_HOST_ID',
        description:
          'Name of this host in the recorded history and for tasks, of which it runs one at a time; its instances share it. Set it where host names change, as in containers.',
        defaultText: 'the name of the host',
      },
    ),
    monitoring: setting(onOff, true, {
      env: 'HARDWARE_MONITORING',
      description:
        'on records the load of this host in the database and raises alerts; off leaves that to other instances of the host.',
    }),
    streamMaxClients: setting(wholeNumber(0, 10_000), 32, {
      env: 'HARDWARE_STREAM_MAX_CLIENTS',
      unit: 'clients',
      description: 'Clients of /hardware/metrics/stream at once; further ones get 503. 0 lets nobody in.',
    }),
  }),
  agents: section({
    offlineAfterMs: setting(wholeNumber(100, 86_400_000), 90_000, {
      env: 'AGENTS_OFFLINE_AFTER_MS',
      unit: 'ms',
      description: 'An agent that has sent heartbeats and none for so long is silent.',
    }),
    watchIntervalMs: setting(wholeNumber(0, 3_600_000), 30_000, {
      env: 'AGENTS_WATCH_INTERVAL_MS',
      unit: 'ms',
      description:
        'How often one of the instances looks for silent agents and probes those with a URL; 0 does neither.',
    }),
    probePrivate: setting(onOff, false, {
      env: 'AGENTS_PROBE_PRIVATE',
      description:
        'on also probes agents at addresses that are not public: private, loopback, link-local and reserved ranges.',
    }),
    probeConcurrency: setting(wholeNumber(1, 256), 16, {
      env: 'AGENTS_PROBE_CONCURRENCY',
      unit: 'probes',
      description: 'Agents that are probed at once.',
    }),
  }),
  admin: section({
    apiKeys: setting<readonly string[]>(adminKeys, [], {
      env: 'ADMIN_API_KEYS',
      description:
        'Comma list of admin keys of 32 or more characters, or of their SHA-256 hex digests; kept as digests. Without any, admin routes answer to this machine only, and in production not at all.',
      defaultText: 'none',
      secret: true,
    }),
    auditMaxRows: setting(wholeNumber(100, 10_000_000), 10_000, {
      env: 'ADMIN_AUDIT_MAX_ROWS',
      unit: 'rows',
      description: 'Rows of the audit log that are kept; the oldest are dropped.',
    }),
  }),
  cache: section({
    namespace: setting(
      text(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of the characters A-Z a-z 0-9 . _ -'),
      'sutazai',
      {
        env: 'CACHE_NAMESPACE',
        description: 'First part of every key in Redis; applications with different ones share nothing.',
      },
    ),
    l1MaxEntries: setting(wholeNumber(0, 10_000_000), 10_000, {
      env: 'CACHE_L1_MAX_ENTRIES',
      unit: 'entries',
      description: 'Entries kept in the memory of this process at most; 0 keeps none.',
    }),
    l1MaxBytes: setting(wholeNumber(0, 1_099_511_627_776), 64 * 1_024 * 1_024, {
      env: 'CACHE_L1_MAX_BYTES',
      unit: 'bytes',
      description: 'Bytes kept in the memory of this process at most; 0 keeps none.',
    }),
    fastPath: setting(onOff, true, {
      env: 'CACHE_FAST_PATH',
      description: 'on answers hits of public routes in front of the router; off sends all through it.',
    }),
    l1Eviction: setting<'s3fifo' | 'lru'>(oneOf('s3fifo', 'lru'), 's3fifo', {
      env: 'CACHE_L1_EVICTION',
      description:
        's3fifo or lru: which entries go when there is no room; under 256 entries it is lru in any case.',
    }),
  }),
  warming: section({
    enabled: setting(onOff, true, {
      env: 'CACHE_WARMING',
      description:
        'on warms the cache at the start and by schedule; off leaves warming to POST /api/v1/cache/warm.',
    }),
    cron: setting(cronOrOff, '*/5 * * * *', {
      env: 'CACHE_WARMING_CRON',
      description: 'When one of the instances warms the cache again; off means at the start only.',
    }),
    concurrency: setting(wholeNumber(1, 64), 4, {
      env: 'CACHE_WARMING_CONCURRENCY',
      unit: 'loads',
      description: 'Loads that warming runs at once.',
    }),
    loadsPerSecond: setting(wholeNumber(0, 10_000), 50, {
      env: 'CACHE_WARMING_LOADS_PER_SECOND',
      unit: 'loads',
      description: 'Loads that warming begins in a second at most; 0 for no limit.',
    }),
    deadlineMs: setting(wholeNumber(100, 3_600_000), 120_000, {
      env: 'CACHE_WARMING_DEADLINE_MS',
      unit: 'ms',
      description: 'A run of warming begins nothing more after so long.',
    }),
    readyDeadlineMs: setting(wholeNumber(0, 600_000), 10_000, {
      env: 'CACHE_WARMING_READY_DEADLINE_MS',
      unit: 'ms',
      description: '/health/ready waits for the critical jobs of warming so long at most.',
    }),
    hotKeys: setting(wholeNumber(0, 256), 50, {
      env: 'CACHE_WARMING_HOT_KEYS',
      description: 'Reads of each policy that are warmed because users make them most; 0 for none.',
    }),
  }),
  tasks: section({
    kept: setting(wholeNumber(1, 10_000), 100, {
      env: 'HARDWARE_TASKS_KEPT',
      unit: 'tasks',
      description:
        'Benchmarks, and optimisations, that have ended and are kept; the oldest of each are dropped.',
    }),
    benchmarkFolder: setting<string | undefined>(text(/^[^\0]{1,4096}$/, 'a path'), undefined, {
      env: 'HARDWARE_BENCHMARK_FOLDER',
      description: 'Folder on the disk that benchmarks measure, with a file that is gone when they end.',
      defaultText: 'DATA_DIR',
    }),
    benchmarkFileBytes: setting(wholeNumber(1_048_576, 4_294_967_296), 67_108_864, {
      env: 'HARDWARE_BENCHMARK_FILE_BYTES',
      unit: 'bytes',
      description: 'Size of that file at most.',
    }),
    cleanupFolders: setting<readonly string[]>(cleanupFolders, [], {
      env: 'HARDWARE_CLEANUP_FOLDERS',
      description:
        'Comma list of absolute paths of folders whose old files an optimisation may remove, where they hold a file .sutazai-clean-up; those of the system, of the application and of its user are refused.',
      defaultText: 'none: no file is ever removed',
    }),
    cleanupMinAgeMs: setting(wholeNumber(0, 3_155_760_000_000), 86_400_000, {
      env: 'HARDWARE_CLEANUP_MIN_AGE_MS',
      unit: 'ms',
      description: 'Files that were changed within this time stay; 0 means that the age does not matter.',
    }),
    cleanupMaxFiles: setting(wholeNumber(1, 1_000_000), 1_000, {
      env: 'HARDWARE_CLEANUP_MAX_FILES',
      unit: 'files',
      description: 'Files that one optimisation removes at most.',
    }),
  }),
  log: section({
    level: setting<LogLevel>(oneOf(...logLevels), 'info', {
      env: 'LOG_LEVEL',
      description: 'Least level that is logged; debug adds a line for every answered request.',
    }),
  }),
  rateLimit: setting<number | 'off'>(rateLimit, 100, {
    env: 'RATE_LIMIT',
    unit: 'requests a minute',
    description:
      'Admin requests a minute for each credential, and a tenth of it for failed logins from one address; off sets no limit.',
  }),
});

export type Settings = z.output<typeof settingsSchema>;

/** Every setting in the order of the schema, for the documentation and for reading the environment. */
export function settingsTable(): SettingRow[] {
  return rowsOf(settingsSchema);
}

/** The validated configuration, frozen to the bottom. It is its own injection token. */
export class AppConfig {
  readonly version = '2.0.0';
  readonly environment: Environment;
  readonly server: Omit<Settings['server'], 'host'> & { readonly host: string };
  readonly redis: Omit<Settings['redis'], 'url'> & {
    readonly mode: 'url' | 'embedded' | 'off';
    readonly url: string | undefined;
  };
  readonly database: Settings['database'] & { readonly mode: 'server' | 'embedded' };
  readonly ollama: Settings['ollama'];
  readonly hardware: Omit<Settings['hardware'], 'hostId'> & { readonly hostId: string };
  readonly agents: Settings['agents'];
  /** `apiKeys` are SHA-256 digests in lower-case hex, never keys. */
  readonly admin: Settings['admin'];
  readonly cache: Settings['cache'];
  readonly warming: Settings['warming'];
  /** `benchmarkFolder` is the data folder where nothing else is set. */
  readonly tasks: Settings['tasks'] & { readonly benchmarkFolder: string };
  readonly log: Settings['log'];
  readonly rateLimit: Settings['rateLimit'];

  constructor(settings: Settings) {
    const { environment, server, redis, database } = settings;
    this.environment = environment;
    this.server = {
      ...server,
      host: server.host ?? (environment === 'production' ? '0.0.0.0' : '127.0.0.1'),
    };
    const url = redis.url === 'off' ? undefined : redis.url;
    this.redis = {
      ...redis,
      url,
      mode: redis.url === 'off' ? 'off' : url === undefined ? 'embedded' : 'url',
    };
    this.database = { ...database, mode: database.url === undefined ? 'embedded' : 'server' };
    this.ollama = settings.ollama;
    this.hardware = { ...settings.hardware, hostId: settings.hardware.hostId ?? nameOfHost() };
    this.agents = settings.agents;
    this.admin = settings.admin;
    this.cache = settings.cache;
    this.warming = settings.warming;
    const { tasks } = settings;
    this.tasks = {
      ...tasks,
      benchmarkFolder: tasks.benchmarkFolder ?? database.dataDir,
    };
    this.log = settings.log;
    this.rateLimit = settings.rateLimit;
    freezeDeep(this);
  }
}

function freezeDeep(value: object): void {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) freezeDeep(child as object);
  Object.freeze(value);
}
