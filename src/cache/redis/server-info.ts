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
    evictedKeys: number('evicted_keys'),
  };
}

/** Differs after every start of a server, and between the servers of a failover. */
export function runIdOf(text: string): string {
  return fieldsOf(text).get('run_id') ?? '';
}

/** Whether the reply of INFO replication is a replica's. */
export function isReplica(text: string): boolean {
  return fieldsOf(text).get('role') === 'slave';
}

/** Sums of what several servers say. */
export function sumOf(infos: readonly RemoteServerInfo[]): RemoteServerInfo {
  const sum = (read: (info: RemoteServerInfo) => number): number =>
    infos.reduce((total, info) => total + read(info), 0);
  const usedMemoryBytes = sum(info => info.usedMemoryBytes);
  return {
    keyspaceHits: sum(info => info.keyspaceHits),
    keyspaceMisses: sum(info => info.keyspaceMisses),
    usedMemoryBytes,
    usedMemoryHuman: `${(usedMemoryBytes / 1_048_576).toFixed(2)}M`,
    connectedClients: sum(info => info.connectedClients),
    totalCommandsProcessed: sum(info => info.totalCommandsProcessed),
    evictedKeys: sum(info => info.evictedKeys),
  };
}

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
