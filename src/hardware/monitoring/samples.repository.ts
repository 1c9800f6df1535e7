import { Injectable } from '@nestjs/common';
import { and, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { Database } from '../../database/database';
import { hardwareSamples } from '../../database/schema';
import type { Reading } from './resources';

/** A reading of the history. */
export interface Sample {
  /** Beginning of its tick in seconds since 1970. */
  readonly tick: number;
  readonly reading: Reading;
}

/** A stretch of the history, thinned evenly. */
export interface History {
  /** Samples that there are; `samples` may be fewer. */
  readonly total: number;
  /** The oldest first. */
  readonly samples: readonly Sample[];
}

const maxHistory = 2_000;
const pruneBatch = 1_000;

const columns = {
  tick: hardwareSamples.tick,
  cpu: hardwareSamples.cpuPercent,
  load: hardwareSamples.loadPerCore,
  memory: hardwareSamples.memoryPercent,
  swap: hardwareSamples.swapPercent,
  disk: hardwareSamples.diskPercent,
};

/** The recorded load of the hosts. */
@Injectable()
export class SamplesRepository {
  constructor(private readonly database: Database) {}

  /** Whether this was the first row of the tick; of two instances of a host one gets true. */
  async insert(host: string, tick: number, reading: Reading): Promise<boolean> {
    const rows = await this.database.orm
      .insert(hardwareSamples)
      .values({
        host,
        tick,
        cpuPercent: reading.cpu,
        loadPerCore: reading.load,
        memoryPercent: reading.memory,
        swapPercent: reading.swap,
        diskPercent: reading.disk,
      })
      .onConflictDoNothing()
      .returning({ tick: hardwareSamples.tick });
    return rows.length > 0;
  }

  /** The latest samples from a tick on, the newest first. */
  async latest(host: string, sinceTick: number, limit: number): Promise<Sample[]> {
    const rows = await this.database.orm
      .select(columns)
      .from(hardwareSamples)
      .where(and(eq(hardwareSamples.host, host), gte(hardwareSamples.tick, sinceTick)))
      .orderBy(desc(hardwareSamples.tick))
      .limit(limit);
    return rows.map(toSample);
  }

  /** The history from a tick on: every k-th sample, so that there are 2,000 at most however many there are. */
  async history(host: string, sinceTick: number): Promise<History> {
    const { orm } = this.database;
    const numbered = orm
      .select({
        ...columns,
        place: sql<number>`(row_number() OVER (ORDER BY ${hardwareSamples.tick}) - 1)::int`.as('place'),
        total: sql<number>`(count(*) OVER ())::int`.as('total'),
      })
      .from(hardwareSamples)
      .where(and(eq(hardwareSamples.host, host), gte(hardwareSamples.tick, sinceTick)))
      .as('numbered');
    const rows = await orm
      .select()
      .from(numbered)
      .where(sql`${numbered.place} % ((${numbered.total} - 1) / ${maxHistory}::int + 1) = 0`)
      .orderBy(numbered.tick);
    return { total: rows[0]?.total ?? 0, samples: rows.map(toSample) };
  }

  /** Drops up to a thousand rows of any host from before a tick; how many there were. */
  async prune(beforeTick: number): Promise<number> {
    const { orm } = this.database;
    const key = sql`(${hardwareSamples.host}, ${hardwareSamples.tick})`;
    const old = orm
      .select({ host: hardwareSamples.host, tick: hardwareSamples.tick })
      .from(hardwareSamples)
      .where(lt(hardwareSamples.tick, beforeTick))
      .orderBy(hardwareSamples.tick)
      .limit(pruneBatch);
    const rows = await orm
      .delete(hardwareSamples)
      .where(inArray(key, old))
      .returning({ tick: hardwareSamples.tick });
    return rows.length;
  }
}

function toSample({ tick, ...reading }: { tick: number } & Reading): Sample {
  const { cpu, load, memory, swap, disk } = reading;
  return { tick, reading: { cpu, load, memory, swap, disk } };
}
