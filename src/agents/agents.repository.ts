import { Injectable } from '@nestjs/common';
import { and, arrayContains, asc, eq, gt, inArray, isNotNull, ne, or, sql, type SQL } from 'drizzle-orm';
import { CacheDatabaseQuery, InvalidatesCache } from '../cache';
import { AppConfig } from '../config/app-config';
import { Database } from '../database/database';
import { agents, agentTokens, seeds } from '../database/schema';
import type { ExpectedVersions } from '../http/if-match';
import type { AgentFilter, FirstPage, ReportedStatus } from './agent-fields';
import type { AgentToProbe, ProbedAgent } from './agent-prober';
import { heartbeatSql, probeSql, statusSql, type Signs } from './agent-status-sql';
import { agentsCache, agentWrites } from './cache';

export type AgentRow = typeof agents.$inferSelect;
export type NewAgent = Pick<
  AgentRow,
  'id' | 'name' | 'type' | 'status' | 'capabilities' | 'url' | 'description'
>;
export type AgentChange = Partial<Omit<NewAgent, 'id'>>;

export interface Heartbeat {
  readonly row: AgentRow;
  readonly isStatusChanged: boolean;
}

/** What goes with every change that a reader can see, but for that of `lastSeenAt` alone. */
const changed = { version: sql`nextval('agent_versions')`, updatedAt: sql`now()` };
/** Whether the statement has changed the row by `changed`: its time is that of the statement, and of no other one. */
const isChanged = sql<boolean>`${agents.updatedAt} = now()`;

/** Whether there is any sign of the agent: the condition of the index `agents_known`. */
const isKnown = or(isNotNull(agents.reportedStatus), isNotNull(agents.probeResult));

/** `changed` only where the status becomes another one. */
function setStatus(status: SQL) {
  const isAnother = sql`${agents.status} <> ${status}`;
  return {
    status,
    version: sql`CASE WHEN ${isAnother} THEN ${changed.version} ELSE ${agents.version} END`,
    updatedAt: sql`CASE WHEN ${isAnother} THEN ${changed.updatedAt} ELSE ${agents.updatedAt} END`,
  };
}

/** The agents in the database, in the order of their unique names, byte by byte. */
@Injectable()
export class AgentsRepository {
  /** What is known of an agent where a statement does not know better. */
  readonly #known: Signs;

  constructor(
    private readonly database: Database,
    { agents: { offlineAfterMs, watchIntervalMs } }: AppConfig,
  ) {
    this.#known = { probe: probeSql(watchIntervalMs > 0), heartbeat: heartbeatSql(offlineAfterMs) };
  }

  /** Behind a cursor uncached: any name makes one, so that they would be keys for whoever likes to invent them. */
  async page(filter: AgentFilter): Promise<AgentRow[]> {
    const { afterName, ...first } = filter;
    return afterName === undefined ? ((await this.firstPage(first)) ?? []) : this.#page(filter);
  }

  /** Undefined, which is not stored, instead of an empty one: capabilities that no agent has are anybody's to invent too. */
  @CacheDatabaseQuery(agentsCache.pageQuery)
  async firstPage(filter: FirstPage): Promise<AgentRow[] | undefined> {
    const rows = await this.#page(filter);
    return rows.length > 0 ? rows : undefined;
  }

  async #page({ status, capability, afterName, limit }: AgentFilter): Promise<AgentRow[]> {
    return this.database.orm
      .select()
      .from(agents)
      .where(
        and(
          status === undefined ? undefined : eq(agents.status, status),
          capability === undefined ? undefined : arrayContains(agents.capabilities, [capability]),
          afterName === undefined ? undefined : gt(agents.name, afterName),
        ),
      )
      .orderBy(asc(agents.name))
      .limit(limit);
  }

  @CacheDatabaseQuery(agentsCache.oneQuery)
  async one(id: string): Promise<AgentRow | null> {
    const [row] = await this.database.orm.select().from(agents).where(eq(agents.id, id));
    return row ?? null;
  }

  /** The version of an agent as it is now, or null when there is none. */
  async version(id: string): Promise<number | null> {
    const [row] = await this.database.orm
      .select({ version: agents.version })
      .from(agents)
      .where(eq(agents.id, id));
    return row?.version ?? null;
  }

  /**
   * Adds an agent with the digest of its token.
   * @throws the driver's unique violation when the id or the name is taken
   */
  async insert(agent: NewAgent, tokenSha256: string): Promise<AgentRow> {
    return this.database.orm.transaction(async transaction => {
      const [row] = await transaction.insert(agents).values(agent).returning();
      if (!row) throw new Error('an insert returned no row');
      await transaction.insert(agentTokens).values({ agentId: row.id, sha256: tokenSha256 });
      return row;
    });
  }

  /** The changed record, or null when there is none of this id at one of these versions. */
  async update(id: string, change: AgentChange, expected: ExpectedVersions): Promise<AgentRow | null> {
    const { url, status } = change;
    const isOther = sql`${agents.url} IS DISTINCT FROM ${url}`;
    const statusWithoutProbe = statusSql({ ...this.#known, probe: sql.raw(`'none'`) });
    const isSaid = sql`${agents.reportedStatus} IS NOT NULL OR ${agents.probeResult} IS NULL`;
    const [row] = await this.database.orm
      .update(agents)
      .set({
        ...change,
        ...changed,
        // What was found at another URL says nothing of this one, and neither does the status that was made of it.
        ...(url !== undefined && {
          probeResult: sql`CASE WHEN ${isOther} THEN NULL ELSE ${agents.probeResult} END`,
        }),
        ...(url !== undefined &&
          status === undefined && {
            status: sql`CASE WHEN NOT (${isOther}) THEN ${agents.status} WHEN ${isSaid} THEN ${statusWithoutProbe} ELSE 'unknown' END`,
          }),
      })
      .where(and(eq(agents.id, id), isAt(expected)))
      .returning();
    return row ?? null;
  }

  /** Whether there was one of this id at one of these versions. */
  async remove(id: string, expected: ExpectedVersions): Promise<boolean> {
    const rows = await this.database.orm
      .delete(agents)
      .where(and(eq(agents.id, id), isAt(expected)))
      .returning({ id: agents.id });
    return rows.length > 0;
  }

  /**
   * Notes that an agent was heard of, and what that makes of its status; null when there is none. The version goes up, and
   * what is cached of it is dropped, only when the status is another one than before.
   */
  @InvalidatesCache(agentWrites.heartbeat)
  async beat(id: string, reported: ReportedStatus): Promise<Heartbeat | null> {
    const status = statusSql({ ...this.#known, heartbeat: sql.raw(`'${reported}'`) });
    const [found] = await this.database.orm
      .update(agents)
      .set({ lastSeenAt: sql`now()`, reportedStatus: reported, ...setStatus(status) })
      .where(eq(agents.id, id))
      .returning({ row: agents, isStatusChanged: isChanged });
    return found ?? null;
  }

  /**
   * Gives agents the status that their signs say, such as offline to those that have fallen silent: `limit` of them at most. The
   * ids of those that had another one; when they are as many as the limit there may be more. Agents without any sign are not read.
   */
  @InvalidatesCache(agentWrites.observed)
  async settle(limit: number): Promise<string[]> {
    const status = statusSql(this.#known);
    // Locked in the order of their ids, and those that a heartbeat is writing are left to the next time.
    const unsettled = this.database.orm
      .select({ id: agents.id })
      .from(agents)
      .where(and(isKnown, ne(agents.status, status)))
      .orderBy(asc(agents.id))
      .limit(limit)
      .for('update', { skipLocked: true });
    const rows = await this.database.orm
      .update(agents)
      .set({ status, ...changed })
      .where(and(isKnown, inArray(agents.id, unsettled), ne(agents.status, status)))
      .returning({ id: agents.id });
    return rows.map(({ id }) => id);
  }

  /** Agents with a URL in the order of their ids, after one of them. */
  async withUrl(afterId: string, limit: number): Promise<AgentToProbe[]> {
    const rows = await this.database.orm
      .select({ id: agents.id, url: agents.url, known: agents.probeResult })
      .from(agents)
      .where(and(isNotNull(agents.url), gt(agents.id, afterId)))
      .orderBy(asc(agents.id))
      .limit(limit);
    return rows.flatMap(({ id, url, known }) => (url === null ? [] : [{ id, url, known: known ?? 'none' }]));
  }

  /** Notes what probes have found, and what that makes of the status. The ids of agents whose status is another one now. */
  @InvalidatesCache(agentWrites.observed)
  async noteProbes(probed: readonly ProbedAgent[]): Promise<string[]> {
    if (probed.length === 0) return [];
    const values = probed.map(({ id, url, result }) => sql`(${id}::text, ${url}::text, ${result}::text)`);
    const found = sql`(VALUES ${sql.join(values, sql`, `)}) AS found (agent_id, agent_url, result)`;
    const rows = await this.database.orm
      .update(agents)
      .set({
        probeResult: sql`nullif(found.result, 'none')`,
        ...setStatus(statusSql({ ...this.#known, probe: sql`found.result` })),
      })
      .from(found)
      .where(sql`${agents.id} = found.agent_id AND ${agents.url} = found.agent_url`)
      .returning({ id: agents.id, isStatusChanged: isChanged });
    return rows.filter(({ isStatusChanged }) => isStatusChanged).map(({ id }) => id);
  }

  /**
   * Gives a fresh installation its first agents: once in the life of the database, and only if there is none yet. Agents that
   * were removed do not come back with a restart. Answers with how many were written.
   */
  async fillOnce(first: readonly NewAgent[]): Promise<number> {
    return this.database.orm.transaction(async transaction => {
      const [planted] = await transaction
        .insert(seeds)
        .values({ name: 'agents' })
        .onConflictDoNothing()
        .returning({ name: seeds.name });
      if (!planted || first.length === 0) return 0;
      const [any] = await transaction.select({ id: agents.id }).from(agents).limit(1);
      if (any) return 0;
      const rows = await transaction
        .insert(agents)
        .values([...first])
        .onConflictDoNothing()
        .returning({ id: agents.id });
      return rows.length;
    });
  }
}

function isAt(expected: ExpectedVersions): SQL | undefined {
  return expected === 'any' ? undefined : inArray(agents.version, [...expected]);
}
