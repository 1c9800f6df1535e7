import { isNotNull, isNull, or, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

/**
 * The tables as queries see them. The files in `migrations/` make them: a change here needs a new file there.
 * Names and ids sort by bytes (`COLLATE "C"` in the migration), so that pages are the same on every server.
 */
export const agents = pgTable(
  'agents',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull().unique(),
    type: text('type').notNull(),
    status: text('status', { enum: ['healthy', 'unhealthy', 'offline', 'unknown'] }).notNull(),
    capabilities: text('capabilities').array().notNull(),
    url: text('url'),
    description: text('description'),
    /** Grows with every change that a reader can see, but for `lastSeenAt`; never given twice, to no agent. */
    version: bigint('version', { mode: 'number' })
      .notNull()
      .default(sql`nextval('agent_versions')`),
    /** What the agent said of itself in its last heartbeat. */
    reportedStatus: text('reported_status', { enum: ['healthy', 'unhealthy'] }),
    /** What the last probe of its URL found. */
    probeResult: text('probe_result', { enum: ['healthy', 'unhealthy', 'unreachable'] }),
    lastSeenAt: timestamp('last_seen_at', { withTimezone: true, mode: 'string' }),
    createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
  },
  table => [
    index('agents_status_name').on(table.status, table.name),
    index('agents_capabilities').using('gin', table.capabilities),
    index('agents_known')
      .on(table.id)
      .where(or(isNotNull(table.reportedStatus), isNotNull(table.probeResult))!),
  ],
);

/** Of the token of an agent there is only its SHA-256, as 64 hex digits. */
export const agentTokens = pgTable('agent_tokens', {
  agentId: text('agent_id')
    .primaryKey()
    .references(() => agents.id, { onDelete: 'cascade' }),
  sha256: text('sha256').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
});

/** One row, `id` 1: the settings as one document under one version. */
export const settings = pgTable('settings', {
  id: integer('id').primaryKey(),
  version: integer('version').notNull(),
  document: jsonb('document').$type<Record<string, unknown>>().notNull(),
  updatedAt: timestamp('updated_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
});

/** Each version that the settings have had, with who changed what and when. */
export const settingsHistory = pgTable('settings_history', {
  version: integer('version').primaryKey(),
  document: jsonb('document').$type<Record<string, unknown>>().notNull(),
  /** The part that the change gave, as it came. */
  change: jsonb('change').$type<Record<string, unknown>>().notNull(),
  changedBy: text('changed_by').notNull(),
  changedAt: timestamp('changed_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
});

/** Keys of administrators. Of the key itself there is only its SHA-256, as 64 hex digits. */
export const adminKeys = pgTable(
  'admin_keys',
  {
    id: text('id').primaryKey(),
    sha256: text('sha256').notNull().unique(),
    name: text('name').notNull(),
    scopes: text('scopes').array().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
    createdBy: text('created_by').notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, mode: 'string' }),
    revokedBy: text('revoked_by'),
    lastUsedAt: timestamp('last_used_at', { withTimezone: true, mode: 'string' }),
  },
  table => [index('admin_keys_created').on(table.createdAt, table.id)],
);

/** What administrators did, in the order in which it was written; the oldest rows are dropped. */
export const auditLog = pgTable('audit_log', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  at: timestamp('at', { withTimezone: true, mode: 'string' }).notNull(),
  who: text('who').notNull(),
  action: text('action').notNull(),
  /** What it was done to, cut and escaped. */
  target: jsonb('target').$type<Record<string, unknown>>().notNull(),
  /** How many keys, tags or entries; null while nobody knows. */
  count: integer('count'),
  result: text('result').notNull(),
  jobId: text('job_id'),
  requestId: text('request_id'),
  /** The instance's own, so that an entry which is written again is there once; null in rows of before. */
  entryId: uuid('entry_id').unique('audit_log_entry'),
});

/** What a fresh installation was given once. */
export const seeds = pgTable('seeds', {
  name: text('name').primaryKey(),
  plantedAt: timestamp('planted_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
});

/** Benchmarks and optimisations: those under way, under a lease that their process renews, and the last ones that ended. */
export const hardwareTasks = pgTable(
  'hardware_tasks',
  {
    id: uuid('id').primaryKey(),
    kind: text('kind', { enum: ['benchmark', 'optimize'] }).notNull(),
    host: text('host').notNull(),
    /** The process that runs it; a new one each time an instance starts. */
    owner: uuid('owner').notNull(),
    status: text('status', {
      enum: ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted'],
    }).notNull(),
    progress: doublePrecision('progress').notNull().default(0),
    parameters: jsonb('parameters').$type<Record<string, unknown>>().notNull(),
    result: jsonb('result').$type<Record<string, unknown>>(),
    error: text('error'),
    /** Another instance has asked its process to stop. */
    cancelRequested: boolean('cancel_requested').notNull().default(false),
    createdAt: timestamp('created_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
    startedAt: timestamp('started_at', { withTimezone: true, mode: 'string' }),
    finishedAt: timestamp('finished_at', { withTimezone: true, mode: 'string' }),
    heartbeatAt: timestamp('heartbeat_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
  },
  table => [
    uniqueIndex('hardware_tasks_one_at_a_time')
      .on(table.host)
      .where(sql`status IN ('queued', 'running')`),
    index('hardware_tasks_latest').on(table.kind, table.createdAt.desc(), table.id),
  ],
);

/** Load of the hosts: one row for each tick of a host, whose key it is, so that its instances write one between them. Null is not known. */
export const hardwareSamples = pgTable(
  'hardware_samples',
  {
    host: text('host').notNull(),
    /** Beginning of the tick in seconds since 1970. */
    tick: bigint('tick', { mode: 'number' }).notNull(),
    cpuPercent: doublePrecision('cpu_percent'),
    loadPerCore: doublePrecision('load_per_core'),
    memoryPercent: doublePrecision('memory_percent'),
    swapPercent: doublePrecision('swap_percent'),
    diskPercent: doublePrecision('disk_percent'),
  },
  table => [primaryKey({ columns: [table.host, table.tick] }), index('hardware_samples_tick').on(table.tick)],
);

/** Alerts of the hosts; open while `clearedAt` is null, and then the only one of its host and resource. */
export const hardwareAlerts = pgTable(
  'hardware_alerts',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    host: text('host').notNull(),
    resource: text('resource', { enum: ['cpu', 'load', 'memory', 'swap', 'disk'] }).notNull(),
    raisedAt: timestamp('raised_at', { withTimezone: true, mode: 'string' }).notNull(),
    raisedValue: doublePrecision('raised_value').notNull(),
    raiseThreshold: doublePrecision('raise_threshold').notNull(),
    clearThreshold: doublePrecision('clear_threshold').notNull(),
    samples: integer('samples').notNull(),
    clearedAt: timestamp('cleared_at', { withTimezone: true, mode: 'string' }),
    /** Null as well when the resource is not watched any more. */
    clearedValue: doublePrecision('cleared_value'),
    acknowledgedAt: timestamp('acknowledged_at', { withTimezone: true, mode: 'string' }),
    acknowledgedBy: text('acknowledged_by'),
  },
  table => [
    uniqueIndex('hardware_alerts_open').on(table.host, table.resource).where(isNull(table.clearedAt)),
    index('hardware_alerts_host').on(table.host, table.id),
  ],
);

/** One row, `id` 1: how hosts are watched. What the document does not say has its default. */
export const hardwareMonitoring = pgTable('hardware_monitoring', {
  id: integer('id').primaryKey(),
  document: jsonb('document').$type<Record<string, unknown>>().notNull(),
  updatedAt: timestamp('updated_at', { withTimezone: true, mode: 'string' }).notNull().defaultNow(),
  updatedBy: text('updated_by').notNull(),
});
