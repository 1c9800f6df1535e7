import { isValid, toCopy, type Copied } from '../../src/cache/core/protocol';
import { Draft, type EntryPlaces, type KeyQuad, type RedisState } from '../fakes/redis-scripts';
import type { Move, System } from './explore';

/** Longer than anything here takes: in the model time passes only when a step says so. */
export const forever = 1e12;

/** An instance, as far as it decides what is read. */
export interface Node {
  /** Copies of entries, with the tokens that they were copied with. */
  l1: Record<string, { version: number; copied: Copied }>;
  /** Tokens that it believes to know. */
  table: Record<string, string>;
  gateOpen: boolean;
  /** Word of changes that has not arrived; one message is the keys that one command changed. */
  inbox: string[][];
  /** Reads and loads under way. */
  flights: Record<string, Flight>;
}

export interface Flight {
  key: string;
  detached: boolean;
  /** Set when it is over. */
  version?: number;
}

/** Everything there is: the server, the source, the instances, and how far each process has come. */
export interface World {
  redis: RedisState<string>;
  /** What the source holds: it only grows. */
  version: number;
  /** The newest version whose invalidation has been acknowledged. */
  acked: number;
  /** Another server, with what it has heard of this one. */
  replica: RedisState<string>;
  /** Keys that were invalidated lately, as the instance remembers them. */
  recent: string[];
  /** Whether the server that answers has been greeted; it was in the beginning. */
  greeted: boolean;
  /** Random tokens given out. */
  fresh: number;
  loads: number;
  nodes: Record<string, Node>;
  /** Per process: the step that comes next, and what it remembers. */
  at: number[];
  memory: Memory[];
  wrong?: string;
}

export interface Memory {
  version?: number;
  seen?: string;
  lease?: string;
  floor?: number;
  flight?: string;
  reply?: { version: number; copied: Copied; valid: boolean } | null;
  captured?: [string, string][];
  anyBefore?: string;
}

/** What a process does at its turn. `next`: it goes on; `done`: it is over; `wait`: it cannot go on yet. */
export type Turn = 'next' | 'done';
export interface Step {
  label: string;
  /** Default: always. */
  ready?: (world: World) => boolean;
  run(world: World, memory: Memory): Turn;
}
export interface Process {
  name: string;
  steps: Step[];
  /** May happen or not. */
  optional?: boolean;
}

export const dataKey = (key: string): string => `d:${key}`;
export const leaseKey = (key: string): string => `l:${key}`;
export const tokenKey = (name: string): string => `t:${name}`;
export const quadOf = (key: string): KeyQuad => [dataKey(key), `x:${key}`, leaseKey(key), `k:${key}`];

interface Entry {
  fillId: string;
  version: number;
  copied: Copied;
}
export const places: EntryPlaces<string> = {
  fillIdOf: entry => (JSON.parse(entry) as Entry).fillId,
  versionOf: entry => (JSON.parse(entry) as Entry).version,
};
export const entryOf = (
  fillId: string,
  version: number,
  captured: readonly (readonly [string, string])[],
): string => JSON.stringify({ fillId, version, copied: toCopy(new Map(captured)) } satisfies Entry);
export const parsed = (entry: string): Entry => JSON.parse(entry) as Entry;

export function newNode(): Node {
  return { l1: {}, table: {}, gateOpen: true, inbox: [], flights: {} };
}

export function newWorld(nodes: Record<string, Node> = {}): World {
  return {
    redis: {},
    version: 1,
    acked: 0,
    replica: {},
    recent: [],
    greeted: true,
    fresh: 0,
    loads: 0,
    nodes,
    at: [],
    memory: [],
  };
}

/** One command at the server. Every instance is sent word of what it changed, as far as it is tracked. */
export function exec<R>(world: World, command: (draft: Draft<string>) => R): R {
  const draft = new Draft(world.redis, 0);
  const reply = command(draft);
  world.redis = draft.state;
  const tracked = [...new Set(draft.changed)].filter(key => key.startsWith('d:') || key.startsWith('t:'));
  if (tracked.length > 0) for (const node of Object.values(world.nodes)) node.inbox.push(tracked);
  return reply;
}

export function randomToken(world: World): string {
  world.fresh += 1;
  return `r${world.fresh}`;
}

/** What a read of the server comes to: the entry and whether the tokens that it copied are still there. */
export function readShared(
  world: World,
  key: string,
  tokenNow: (draft: Draft<string>, name: string) => string | undefined = (draft, name) =>
    draft.get(tokenKey(name)),
): { entry: Entry; valid: boolean } | undefined {
  return exec(world, draft => {
    const stored = draft.get(dataKey(key));
    if (stored === undefined) return undefined;
    const entry = parsed(stored);
    return { entry, valid: isValid(entry.copied, name => tokenNow(draft, name)) };
  });
}

/** Puts an entry there from before the beginning. */
export function seed(world: World, key: string, version: number, tokens: Record<string, string>): void {
  exec(world, draft => {
    for (const [name, token] of Object.entries(tokens)) draft.set(tokenKey(name), token, forever);
    draft.set(dataKey(key), entryOf(`seed-${key}`, version, Object.entries(tokens)), forever);
  });
  world.replica = world.redis;
  for (const node of Object.values(world.nodes)) node.inbox = [];
}

/** Processes that take turns over a world; what is wrong is asked of every state, and once more at the end. */
export function systemOf(
  start: World,
  processes: readonly Process[],
  wrongAtEnd: (world: World) => string | undefined,
): System<World> {
  const world = structuredClone(start);
  world.at = processes.map(() => 0);
  world.memory = processes.map(() => ({}));
  const moveOf = (process: Process, index: number, state: World): Move<World> | undefined => {
    const step = process.steps[state.at[index]!];
    if (!step || (step.ready && !step.ready(state))) return undefined;
    return {
      label: `${process.name}: ${step.label}`,
      happen: next => {
        const turn = step.run(next, next.memory[index]!);
        next.at[index] = turn === 'done' ? process.steps.length : next.at[index]! + 1;
        // What is over is forgotten, so that states which differ in nothing else are one.
        if (next.at[index] === process.steps.length) next.memory[index] = {};
      },
    };
  };
  const movesOf = (state: World, optional: boolean): Move<World>[] =>
    processes.flatMap((process, index) => {
      const move = (process.optional ?? false) === optional ? moveOf(process, index, state) : undefined;
      return move ? [move] : [];
    });
  const deliveries = (state: World): Move<World>[] =>
    Object.entries(state.nodes).flatMap(([name, node]) =>
      node.inbox.length === 0 ? [] : [{ label: `${name} hears`, happen: next => hear(next.nodes[name]!) }],
    );
  return {
    start: world,
    moves: state => ({
      must: [...movesOf(state, false), ...deliveries(state)],
      may: movesOf(state, true),
    }),
    wrong: (state, over) => state.wrong ?? (over ? wrongAtEnd(state) : undefined),
  };
}

/** The next word arrives: copies and tokens are dropped, and nobody joins what is under way. */
function hear(node: Node): void {
  for (const changed of node.inbox.shift()!) {
    const name = changed.slice(2);
    if (changed.startsWith('t:')) {
      delete node.table[name];
      continue;
    }
    delete node.l1[name];
    for (const flight of Object.values(node.flights)) if (flight.key === name) flight.detached = true;
  }
}
