import { Injectable } from '@nestjs/common';
import { and, desc, eq, isNotNull, isNull, lt, notExists, or, sql } from 'drizzle-orm';
import { InvalidatesCache } from '../../cache';
import { Database } from '../../database/database';
import { hardwareAlerts, hardwareSamples } from '../../database/schema';
import { hardwareWrites } from '../cache';
import type { Threshold } from './monitoring-config';
import type { Resource } from './resources';

export type AlertRow = typeof hardwareAlerts.$inferSelect;

export const alertStates = ['open', 'cleared'] as const;
export type AlertState = (typeof alertStates)[number];

/** Which alerts, and where the page begins. */
export interface AlertFilter {
  state?: AlertState | undefined;
  host?: string | undefined;
  /** Only alerts raised before the one of this id. */
  before?: number | undefined;
  limit: number;
}

/** The alerts of the hosts. */
@Injectable()
export class AlertsRepository {
  constructor(private readonly database: Database) {}

  /** The latest first. */
  async page({ state, host, before, limit }: AlertFilter): Promise<AlertRow[]> {
    return this.database.orm
      .select()
      .from(hardwareAlerts)
      .where(
        and(
          state === undefined
            ? undefined
            : state === 'open'
              ? isNull(hardwareAlerts.clearedAt)
              : isNotNull(hardwareAlerts.clearedAt),
          host === undefined ? undefined : eq(hardwareAlerts.host, host),
          before === undefined ? undefined : lt(hardwareAlerts.id, before),
        ),
      )
      .orderBy(desc(hardwareAlerts.id))
      .limit(limit);
  }

  /** The resources of a host that have an open alert. */
  async openOf(host: string): Promise<Set<Resource>> {
    const rows = await this.database.orm
      .select({ resource: hardwareAlerts.resource })
      .from(hardwareAlerts)
      .where(and(eq(hardwareAlerts.host, host), isNull(hardwareAlerts.clearedAt)));
    return new Set(rows.map(({ resource }) => resource));
  }

  /** How often an alert of each resource was raised on a host since a time. */
  async raisedSince(host: string, since: string): Promise<Map<Resource, number>> {
    const rows = await this.database.orm
      .select({ resource: hardwareAlerts.resource, count: sql<number>`count(*)::int` })
      .from(hardwareAlerts)
      .where(and(eq(hardwareAlerts.host, host), sql`${hardwareAlerts.raisedAt} >= ${since}`))
      .groupBy(hardwareAlerts.resource);
    return new Map(rows.map(({ resource, count }) => [resource, count]));
  }

  /** Whether it was raised: not when there is an open one. */
  @InvalidatesCache(hardwareWrites.alert)
  async raise(
    host: string,
    resource: Resource,
    at: string,
    value: number,
    { raise, clear, samples }: Threshold,
  ): Promise<boolean> {
    const rows = await this.database.orm
      .insert(hardwareAlerts)
      .values({
        host,
        resource,
        raisedAt: at,
        raisedValue: value,
        raiseThreshold: raise,
        clearThreshold: clear,
        samples,
      })
      .onConflictDoNothing()
      .returning({ id: hardwareAlerts.id });
    return rows.length > 0;
  }

  /** Whether there was an open one. */
  @InvalidatesCache(hardwareWrites.alert)
  async clear(host: string, resource: Resource, at: string, value: number | null): Promise<boolean> {
    const rows = await this.database.orm
      .update(hardwareAlerts)
      .set({ clearedAt: at, clearedValue: value })
      .where(
        and(
          eq(hardwareAlerts.host, host),
          eq(hardwareAlerts.resource, resource),
          isNull(hardwareAlerts.clearedAt),
        ),
      )
      .returning({ id: hardwareAlerts.id });
    return rows.length > 0;
  }

  /** Notes who has seen an alert, the first one to say so; null when there is none of this id. */
  async acknowledge(id: number, by: string): Promise<AlertRow | null> {
    const [row] = await this.database.orm
      .update(hardwareAlerts)
      .set({
        acknowledgedAt: sql`coalesce(${hardwareAlerts.acknowledgedAt}, now())`,
        acknowledgedBy: sql`coalesce(${hardwareAlerts.acknowledgedBy}, ${by})`,
      })
      .where(eq(hardwareAlerts.id, id))
      .returning();
    return row ?? null;
  }

  /**
   * Drops alerts that were cleared so many days ago, by the clock of the database, and open ones as old of hosts that have left no
   * sample since; how many.
   */
  async prune(retentionDays: number): Promise<number> {
    const { orm } = this.database;
    const before = sql`now() - make_interval(days => ${retentionDays})`;
    const samplesOfHost = orm
      .select({ tick: hardwareSamples.tick })
      .from(hardwareSamples)
      .where(eq(hardwareSamples.host, hardwareAlerts.host));
    const rows = await orm
      .delete(hardwareAlerts)
      .where(
        or(
          sql`${hardwareAlerts.clearedAt} < ${before}`,
          and(
            isNull(hardwareAlerts.clearedAt),
            sql`${hardwareAlerts.raisedAt} < ${before}`,
            notExists(samplesOfHost),
          ),
        ),
      )
      .returning({ id: hardwareAlerts.id });
    return rows.length;
  }
}
