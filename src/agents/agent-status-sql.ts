import { sql, type SQL } from 'drizzle-orm';
import { agents } from '../database/schema';
import { heartbeatSigns, probeResults, statusOf } from './agent-status';

/** What a statement knows of an agent: of what it does not change itself, the columns. */
export interface Signs {
  /** Of type `ProbeResult`. */
  probe: SQL;
  /** Of type `HeartbeatSign`. */
  heartbeat: SQL;
}

const probeColumn = sql`coalesce(${agents.probeResult}, 'none')`;
const notProbed = sql.raw(`'none'`);

/** `statusOf`, as an expression: whoever writes a sign writes the status with it, in one statement. */
export function statusSql({ probe, heartbeat }: Signs): SQL {
  const branches = probeResults.flatMap(result =>
    heartbeatSigns.flatMap(sign => {
      const status = statusOf(result, sign);
      return status === undefined ? [] : [`WHEN '${result} ${sign}' THEN '${status}'`];
    }),
  );
  return sql`CASE ${probe} || ' ' || ${heartbeat} ${sql.raw(branches.join(' '))} ELSE ${agents.status} END`;
}

/** What is known of the last probe. Where nobody probes, old results count for nothing. */
export function probeSql(isWatching: boolean): SQL {
  return isWatching ? probeColumn : notProbed;
}

/** What is known of heartbeats, by the clock of the database. */
export function heartbeatSql(offlineAfterMs: number): SQL {
  const silentBefore = sql`now() - make_interval(secs => ${offlineAfterMs / 1_000})`;
  return sql`CASE WHEN ${agents.reportedStatus} IS NULL THEN 'never' WHEN ${agents.lastSeenAt} < ${silentBefore} THEN 'silent' ELSE ${agents.reportedStatus} END`;
}
