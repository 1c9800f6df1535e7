import type { Random } from './random';

/** Which connections of which instance a fault of the network hits. */
export interface Reach {
  inst: string;
  link: 'data' | 'tracker';
}

export type Fault =
  | { kind: 'network'; how: NetworkFault; reach: Reach[]; amount: number }
  | { kind: 'freeze redis' | 'restart redis' | 'pause writes' | 'freeze child' }
  | {
      kind: 'flush all' | 'flush scripts' | 'kill pubsub' | 'kill normal' | 'evict tokens' | 'evict anything';
    };

export const networkFaults = [
  'cut',
  'hold',
  'blackhole',
  'dropReplies',
  'refuse',
  'delay',
  'slow',
  'slice',
  'truncateAfter',
  'corrupt',
] as const;
export type NetworkFault = (typeof networkFaults)[number];

export interface PlannedFault {
  /** Since the beginning of the history, in milliseconds. */
  atMs: number;
  durationMs: number;
  fault: Fault;
}

const serverFaults = ['freeze redis', 'restart redis', 'pause writes', 'freeze child'] as const;
const instantFaults = [
  'flush all',
  'flush scripts',
  'kill pubsub',
  'kill normal',
  'evict tokens',
  'evict anything',
] as const;
const amounts: Partial<Record<NetworkFault, [least: number, most: number]>> = {
  delay: [5, 150],
  slow: [2_000, 50_000],
  truncateAfter: [1, 3_000],
};

/**
 * The faults of a history, all from the seed: in one lane faults of every kind, one after the other; in a second lane
 * faults of the network beside them. Whether instances are named or not, the same seed gives the same plan.
 */
export function planFaults(random: Random, lengthMs: number, instances: readonly string[]): PlannedFault[] {
  const first = lane(random, lengthMs, 400, () => anyFault(random, instances));
  const second = lane(random, lengthMs, 2_000, () => networkFault(random, instances, false));
  return [...first, ...second].sort((a, b) => a.atMs - b.atMs);
}

/** With pauses of `pauseMs` on average, in which everything recovers, or not quite. */
function lane(random: Random, lengthMs: number, pauseMs: number, next: () => Fault): PlannedFault[] {
  const planned: PlannedFault[] = [];
  for (let atMs = random.between(0, pauseMs * 2); ;) {
    const fault = next();
    const durationMs = durationOf(random, fault);
    if (atMs + durationMs > lengthMs) return planned;
    planned.push({ atMs, durationMs, fault });
    atMs += durationMs + random.between(0, pauseMs * 2);
  }
}

function anyFault(random: Random, instances: readonly string[]): Fault {
  const kind = random.next();
  if (kind < 0.5) return networkFault(random, instances, true);
  if (kind < 0.75) return { kind: random.pick(serverFaults) };
  return { kind: random.pick(instantFaults) };
}

/**
 * Asymmetric faults are the ones that find mistakes: one connection of one instance more often than all of them. Damaged
 * bytes hit the data connection alone. What the tracker hears is names without a checksum of ours; there TCP's has to do.
 */
function networkFault(random: Random, instances: readonly string[], mayCorrupt: boolean): Fault {
  const how = random.pick(mayCorrupt ? networkFaults : networkFaults.filter(name => name !== 'corrupt'));
  const hit = random.happens(0.7) ? [random.pick(instances)] : instances;
  const links = random.pick([['data'], ['tracker'], ['data', 'tracker']] as const);
  const reach = hit.flatMap(inst =>
    (how === 'corrupt' ? (['data'] as const) : links).map(link => ({ inst, link })),
  );
  const [least, most] = amounts[how] ?? [0, 0];
  return { kind: 'network', how, reach, amount: random.between(least, most) };
}

function durationOf(random: Random, fault: Fault): number {
  if (instantFaults.some(kind => kind === fault.kind)) return 0;
  if (fault.kind === 'network' && fault.how === 'cut') return 0;
  return random.happens(0.2) ? random.between(1_000, 2_500) : random.between(50, 1_000);
}

/** `hold` or `freeze redis`: what is counted. */
export function kindOf(fault: Fault): string {
  return fault.kind === 'network' ? fault.how : fault.kind;
}

/** With everything that there is to it, for people. */
export function describeFault(fault: Fault): string {
  if (fault.kind !== 'network') return fault.kind;
  const where = fault.reach.map(({ inst, link }) => `${inst}.${link}`).join(' ');
  return `${fault.how}${fault.amount === 0 ? '' : `(${fault.amount})`} ${where}`;
}
