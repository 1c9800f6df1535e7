/** About 2 KB of JSON, as an API answers it: sixteen agents, of which some words and numbers differ with the seed. */
export function agentsOf(seed: number): object {
  return {
    agents: Array.from({ length: 16 }, (_, index) => ({
      id: `agent-${seed}-${index}`,
      name: `Agent ${(seed * 31 + index * 17) % 997}`,
      status: (seed + index) % 3 === 0 ? 'busy' : 'idle',
      capabilities: ['code', 'review'],
      last_seen_at: 1_760_000_000 + ((seed * 7_919 + index * 104_729) % 1_000_000),
    })),
  };
}

/** The same as many times over as make about so many bytes of JSON. */
export function payloadOf(bytes: number): object {
  const one = JSON.stringify(agentsOf(0)).length;
  if (bytes < one)
    return { agents: (agentsOf(0) as { agents: object[] }).agents.slice(0, (16 * bytes) / one) };
  return { pages: Array.from({ length: Math.round(bytes / one) }, (_, page) => agentsOf(page)) };
}
