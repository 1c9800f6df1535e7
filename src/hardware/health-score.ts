/** The facts that a score is made of; null is not known and counts neither way. */
export interface Vitals {
  cpuPercent: number | null;
  /** Load average of a minute over the number of cores. */
  loadPerCore: number | null;
  memoryPercent: number | null;
  swapPercent: number | null;
  /** Of the fullest disk. */
  diskPercent: number | null;
}

export interface ScoreReason {
  resource: 'cpu' | 'load' | 'memory' | 'swap' | 'disk';
  level: 'warning' | 'critical';
  value: number;
  /** The limit that was passed. */
  threshold: number;
  /** What it takes off the score. */
  penalty: number;
  message: string;
}

export interface HealthScore {
  /** From 0 to 100. */
  score: number;
  status: 'healthy' | 'warning' | 'critical' | 'unknown';
  reasons: ScoreReason[];
  /** What could not be read. */
  unknown: ScoreReason['resource'][];
}

interface Rule {
  resource: ScoreReason['resource'];
  of: keyof Vitals;
  what: string;
  unit: string;
  warning: number;
  critical: number;
}

const warningPenalty = 15;
const criticalPenalty = 40;

/** Above `warning` a resource takes off 15, above `critical` 40. */
export const scoreRules: readonly Rule[] = Object.freeze([
  { resource: 'cpu', of: 'cpuPercent', what: 'CPU use', unit: ' %', warning: 80, critical: 95 },
  { resource: 'load', of: 'loadPerCore', what: 'Load per core', unit: '', warning: 1.5, critical: 4 },
  { resource: 'memory', of: 'memoryPercent', what: 'Memory use', unit: ' %', warning: 85, critical: 95 },
  { resource: 'swap', of: 'swapPercent', what: 'Swap use', unit: ' %', warning: 50, critical: 90 },
  {
    resource: 'disk',
    of: 'diskPercent',
    what: 'Use of the fullest disk',
    unit: ' %',
    warning: 85,
    critical: 95,
  },
]);

/** How well the host is, with the reasons for everything that is taken off 100. Without any known fact it is `unknown`, at 0. */
export function healthScore(vitals: Vitals): HealthScore {
  const reasons: ScoreReason[] = [];
  const unknown: ScoreReason['resource'][] = [];
  for (const rule of scoreRules) {
    const value = vitals[rule.of];
    // No swap at all is common and no gap in what is known.
    if (value === null && rule.resource !== 'swap') unknown.push(rule.resource);
    if (value !== null && value > rule.warning) reasons.push(reasonOf(rule, value));
  }
  if (unknown.length === scoreRules.length - 1 && vitals.swapPercent === null) {
    return { score: 0, status: 'unknown', reasons, unknown };
  }
  const score = Math.max(0, 100 - reasons.reduce((sum, { penalty }) => sum + penalty, 0));
  const isCritical = reasons.some(({ level }) => level === 'critical');
  return {
    score,
    status: isCritical ? 'critical' : reasons.length > 0 ? 'warning' : 'healthy',
    reasons,
    unknown,
  };
}

function reasonOf({ resource, what, unit, warning, critical }: Rule, value: number): ScoreReason {
  const level = value > critical ? 'critical' : 'warning';
  const threshold = level === 'critical' ? critical : warning;
  return {
    resource,
    level,
    value,
    threshold,
    penalty: level === 'critical' ? criticalPenalty : warningPenalty,
    message: `${what} is ${value}${unit}, above ${threshold}${unit}.`,
  };
}
