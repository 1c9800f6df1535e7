import { Injectable } from '@nestjs/common';
import { and, asc, count, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** Samples of a history that are read at most: one a minute of a day. */
const maxHistory = 1_440;
/** So many of them in one query: the embedded database answers one at a time, and behind a long one everybody would wait. */
const samplesOfQuery = 60;
/** Rows that are dropped in one query, for the same reason. */
const pruneBatch = 250;

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

  /**
   * The history from a tick on, thinned to 1,440 samples: it is cut into stretches of equal length, and the first sample of each
   * is read, by the primary key. The work is that of so many look-ups, however many rows there are, and is done in pieces.
   */
  async history(host: string, sinceTick: number, untilTick: number): Promise<History> {
    const first = await this.firstTick(host, sinceTick);
    const samples: Sample[] = [];
    let total = 0;
    if (first === undefined) return { total, samples };
    const width = Math.ceil((untilTick - first + 1) / maxHistory);
    for (let from = first; from <= untilTick; from += width * samplesOfQuery) {
      const to = Math.min(from + width * samplesOfQuery, untilTick + 1);
      samples.push(...(await this.firstOfStretches(host, from, to, width)));
      total += await this.countBetween(host, from, to);
      await nextTurn();
    }
    return { total, samples };
  }

  private async firstTick(host: string, sinceTick: number): Promise<number | undefined> {
    const [row] = await this.database.orm
      .select({ tick: hardwareSamples.tick })
      .from(hardwareSamples)
      .where(and(eq(hardwareSamples.host, host), gte(hardwareSamples.tick, sinceTick)))
      .orderBy(asc(hardwareSamples.tick))
      .limit(1);
    return row?.tick;
  }

  private async firstOfStretches(host: string, from: number, to: number, width: number): Promise<Sample[]> {
    // Both drivers answer with rows; their common type does not say so.
    const result: unknown = await this.database.orm.execute(sql`
      SELECT sample.* FROM generate_series(${from}::bigint, ${to - 1}::bigint, ${width}::bigint) AS start
      CROSS JOIN LATERAL (
        SELECT tick::float8 AS tick, cpu_percent AS cpu, load_per_core AS load, memory_percent AS memory,
          swap_percent AS swap, disk_percent AS disk
        FROM hardware_samples
        WHERE host = ${host} AND tick >= start AND tick < least(start + ${width}::bigint, ${to}::bigint)
        ORDER BY tick LIMIT 1
      ) AS sample ORDER BY sample.tick`);
    return (result as { rows: ({ tick: number } & Reading)[] }).rows.map(toSample);
  }

  private async countBetween(host: string, from: number, to: number): Promise<number> {
    const [row] = await this.database.orm
      .select({ count: count() })
      .from(hardwareSamples)
      .where(
        and(eq(hardwareSamples.host, host), gte(hardwareSamples.tick, from), lt(hardwareSamples.tick, to)),
      );
    return row?.count ?? 0;
  }

  /** Drops up to 250 rows of any host that are older than so many days, by the clock of the database; how many there were. */
  async prune(retentionDays: number): Promise<number> {
    const { orm } = this.database;
    const before = sql`extract(epoch FROM now() - make_interval(days => ${retentionDays}))::bigint`;
    const key = sql`(${hardwareSamples.host}, ${hardwareSamples.tick})`;
    const old = orm
      .select({ host: hardwareSamples.host, tick: hardwareSamples.tick })
      .from(hardwareSamples)
      .where(lt(hardwareSamples.tick, before))
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
