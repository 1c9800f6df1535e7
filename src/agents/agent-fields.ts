/** What the fields of an agent may hold; used by the DTOs, the route and the seed. */
export const agentStatuses = ['healthy', 'unhealthy', 'offline', 'unknown'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

/** What an agent may say of itself; that it is gone or unknown is for others to see. */
export const reportedStatuses = ['healthy', 'unhealthy'] as const;
export type ReportedStatus = (typeof reportedStatuses)[number];

export const agentLimits = Object.freeze({
  name: 100,
  type: 50,
  capabilities: 64,
  url: 2_048,
  description: 2_000,
  page: 1_000,
});

/** Ids are part of paths, keys and tags: lower-case letters, digits and dashes, 1 to 63 of them. */
export const agentIdPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Words for types and capabilities. */
export const wordPattern = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
/** One line of text without control characters, those among them that turn the direction and let a name look like another. */
export const linePattern = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+$/u;
/** Text in lines; PostgreSQL cannot hold NUL, and would hold another character for half of one (a lone surrogate). */
export const textPattern = /^[^\0\p{Cs}]*$/u;

export const messages = Object.freeze({
  id: 'must be 1 to 63 lower-case letters, digits and dashes, not beginning or ending with a dash',
  name: `must be 1 to ${agentLimits.name} characters on one line, with one at least that can be seen`,
  type: `must be 1 to ${agentLimits.type} lower-case letters, digits, dots, dashes and underscores`,
  status: `must be one of ${agentStatuses.join(', ')}`,
  reportedStatus: `must be one of ${reportedStatuses.join(', ')}`,
  capabilities: `must be a list of at most ${agentLimits.capabilities} different capabilities`,
  capability: 'must be 1 to 64 lower-case letters, digits, dots, dashes and underscores',
  url: `must be an http:// or https:// URL of at most ${agentLimits.url} characters`,
  description: `must be text of at most ${agentLimits.description} characters`,
});

/** Which agents, and where the page begins. */
export interface AgentFilter {
  status?: AgentStatus | undefined;
  capability?: string | undefined;
  /** Only agents whose name sorts after this one. */
  afterName?: string | undefined;
  limit: number;
}

/** Of the list from its beginning. */
export type FirstPage = Omit<AgentFilter, 'afterName'>;
