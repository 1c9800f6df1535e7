import type { AgentStatus } from './agent-fields';

/** What the last probe of an agent's URL found; `none` without a URL, or where nothing may be said: never probed, or refused. */
export const probeResults = ['healthy', 'unhealthy', 'unreachable', 'none'] as const;
export type ProbeResult = (typeof probeResults)[number];

/** What heartbeats say: what the last one reported, `silent` when it is too long ago, `never` when there was none. */
export const heartbeatSigns = ['healthy', 'unhealthy', 'silent', 'never'] as const;
export type HeartbeatSign = (typeof heartbeatSigns)[number];

/**
 * The status of an agent by what is known of it, or undefined when nothing is: then it keeps the one that it has.
 *
 * The worse of the two signs counts, because each sees what the other cannot: a probe does not know that the agent calls
 * itself unhealthy, and a heartbeat does not know that nobody reaches the URL. Silence alone is not worse: agents that are
 * probed need not send heartbeats. Who cannot be reached and yet sends heartbeats is alive: unhealthy, not offline.
 */
export function statusOf(probe: ProbeResult, heartbeat: HeartbeatSign): AgentStatus | undefined {
  const isBeating = heartbeat === 'healthy' || heartbeat === 'unhealthy';
  if (probe === 'unhealthy' || heartbeat === 'unhealthy') return 'unhealthy';
  if (probe === 'healthy') return 'healthy';
  if (probe === 'unreachable') return isBeating ? 'unhealthy' : 'offline';
  if (isBeating) return 'healthy';
  return heartbeat === 'silent' ? 'offline' : undefined;
}
