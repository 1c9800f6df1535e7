import type { RemoteServerInfo } from '../core';

/** Reads the reply of INFO. Fields that a server does not have come out as 0. */
export function parseServerInfo(text: string): RemoteServerInfo {
  const fields = fieldsOf(text);
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  return {
    keyspaceHits: number('keyspace_hits'),
    keyspaceMisses: number('keyspace_misses'),
    usedMemoryBytes: number('used_memory'),
    usedMemoryHuman: fields.get('used_memory_human') ?? '',
    connectedClients: number('connected_clients'),
    totalCommandsProcessed: number('total_commands_processed'),
  };
}

/** Differs after every start of a server, and between the servers of a failover. */
export function runIdOf(text: string): string {
  return fieldsOf(text).get('run_id') ?? '';
}

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
