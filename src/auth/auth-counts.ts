/** How requests to admin routes ended at the guard; `refused` is what has no name of its own. */
export const authOutcomes = [
  'admitted',
  'no_credentials',
  'wrong_key',
  'ambiguous',
  'scope_missing',
  'not_local',
  'disabled',
  'rate_limited',
  'refused',
] as const;

export type AuthOutcome = (typeof authOutcomes)[number];

const outcomeOfCode: Readonly<Record<string, AuthOutcome>> = {
  AUTH_REQUIRED: 'no_credentials',
  AUTH_INVALID: 'wrong_key',
  HEADER_DUPLICATE: 'ambiguous',
  FORBIDDEN_SCOPE: 'scope_missing',
  ADMIN_LOOPBACK_ONLY: 'not_local',
  ADMIN_DISABLED: 'disabled',
  RATE_LIMITED: 'rate_limited',
};

/** Counts what the guard decided, for the metrics. */
export class AuthCounts {
  private readonly counts = new Map<AuthOutcome, number>(authOutcomes.map(outcome => [outcome, 0]));

  count(outcome: AuthOutcome): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }

  countRefusal(code: string): void {
    this.count(outcomeOfCode[code] ?? 'refused');
  }

  entries(): readonly (readonly [AuthOutcome, number])[] {
    return [...this.counts];
  }
}
