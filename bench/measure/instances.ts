import { definePolicy } from '../../src/cache';
import { openCache } from './ours';
import { openPeer, type Peer, type PeerName } from './peers';

/** Ours behind the calls that peers are compared by. */
export async function openOurs(
  socket: string,
  namespace: string,
  load: (key: string) => Promise<unknown>,
): Promise<Peer> {
  const cache = await openCache(socket, { namespace });
  const policy = definePolicy('bench', { ttlMs: 3_600_000, jitter: 0 });
  const read = (key: string): Promise<unknown> => cache.getOrSet(key, () => load(key), { policy });
  return {
    get: read,
    read,
    drop: key => cache.invalidateKeys([key]),
    // One key is all that it is asked to hold.
    isHeld: () => cache.status().l1Entries > 0,
    close: () => cache.close(),
  };
}

/** `ours`, or one of the peers, as an instance of several on one server that tell each other what changed. */
export function openInstance(
  name: PeerName | 'ours',
  socket: string,
  load: (key: string) => Promise<unknown>,
): Promise<Peer> {
  if (name === 'ours') return openOurs(socket, 'instances', load);
  const tells = name === 'bentocache' || name === 'layered-loader';
  // Without JSON in memory BentoCache fails where several callers wait for one load.
  return openPeer(name, { socket, memory: tells, bus: tells, jsonInMemory: true, load });
}
