import { Injectable } from '@nestjs/common';
import { and, arrayContains, asc, eq, gt, sql } from 'drizzle-orm';
import { CacheDatabaseQuery } from '../cache';
import { Database } from '../database/database';
import { agents, seeds } from '../database/schema';
import type { AgentFilter } from './agent-fields';
import { agentsCache } from './cache';

export type AgentRow = typeof agents.$inferSelect;
export type NewAgent = Pick<
  AgentRow,
  'id' | 'name' | 'type' | 'status' | 'capabilities' | 'url' | 'description'
>;
export type AgentChange = Partial<Omit<NewAgent, 'id'>>;

/** The agents in the database, in the order of their unique names, byte by byte. */
@Injectable()
export class AgentsRepository {
  constructor(private readonly database: Database) {}

  @CacheDatabaseQuery(agentsCache.pageQuery)
  async page({ status, capability, afterName, limit }: AgentFilter): Promise<AgentRow[]> {
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

  /** @throws the driver's unique violation when the id or the name is taken */
  async insert(agent: NewAgent): Promise<AgentRow> {
    const [row] = await this.database.orm.insert(agents).values(agent).returning();
    if (!row) throw new Error('an insert returned no row');
    return row;
  }

  /** The changed record, or null when there is none. */
  async update(id: string, change: AgentChange): Promise<AgentRow | null> {
    const [row] = await this.database.orm
      .update(agents)
      .set({ ...change, updatedAt: sql`now()` })
      .where(eq(agents.id, id))
      .returning();
    return row ?? null;
  }

  /** Whether there was one. */
  async remove(id: string): Promise<boolean> {
    const rows = await this.database.orm.delete(agents).where(eq(agents.id, id)).returning({ id: agents.id });
    return rows.length > 0;
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
