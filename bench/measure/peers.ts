import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Another cache, behind the calls that are compared. Each in `bench/peers/NAME.mjs`, with the package's own API in it. */
export interface Peer {
  /** As its documentation reads what is probably there. */
  readonly get: (key: string) => unknown;
  /** Reads, and loads what is not there. */
  readonly read: (key: string) => Promise<unknown>;
  readonly set?: (key: string, value: unknown) => Promise<unknown>;
  readonly getMany?: (keys: readonly string[]) => Promise<readonly unknown[]>;
  readonly setMany?: (entries: readonly (readonly [string, unknown])[]) => Promise<unknown>;
  /** Removes a key here and, where the package can do that, from the memory of other instances. */
  readonly drop?: (key: string) => Promise<unknown>;
  /** Whether the key is held in memory, at once. */
  readonly isHeld?: (key: string) => boolean;
  readonly close: () => Promise<unknown>;
}

export interface PeerOptions {
  /** Of the server; without one memory alone. */
  socket?: string;
  /** Whether it keeps a copy in memory. Default: only without a server. */
  memory?: boolean;
  maxEntries?: number;
  /** Whether instances tell each other what changed. */
  bus?: boolean;
  tags?: readonly string[];
  /** BentoCache keeps JSON in memory by default. */
  jsonInMemory?: boolean;
  load(key: string): Promise<unknown>;
}

export type PeerName =
  'async-cache-dedupe' | 'bentocache' | 'cache-manager' | 'cacheable' | 'layered-loader' | 'lru-cache';

const folder = join(process.cwd(), 'bench', 'peers');

export async function openPeer(name: PeerName, options: PeerOptions): Promise<Peer> {
  const url = pathToFileURL(join(folder, `${name}.mjs`)).href;
  const { open } = (await import(url)) as { open: (options: PeerOptions) => Promise<Peer> };
  return open(options);
}

/** As installed. */
export function peerVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies;
}
