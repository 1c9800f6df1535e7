import { breakdown, count, duration, percent, type Terminal } from './terminal';

export interface FamilyDiagnosis {
  readonly head: string;
  readonly policy: string;
  readonly ttl_ms: number;
  readonly keys: number;
  readonly reads: number;
  readonly hit_rate: number;
  readonly miss_causes: Readonly<Record<string, number>>;
  readonly life_curve: readonly { readonly ttl_ms: number; readonly hit_rate: number }[];
  readonly unchanged_share: number | null;
}

/** What is shown of `GET /api/v1/cache/doctor`. */
export interface Diagnosis {
  readonly advice: readonly {
    readonly kind: string;
    readonly policy: string | null;
    readonly head: string | null;
    readonly message: string;
  }[];
  readonly families: readonly FamilyDiagnosis[];
  readonly l1_size_curve: readonly { readonly entries: number; readonly hit_rate: number }[];
  readonly notes: readonly string[];
}

export function showDiagnosis(terminal: Terminal, diagnosis: Diagnosis): void {
  if (diagnosis.advice.length === 0)
    terminal.title('Nothing to advise: what is read is answered, or too little has been read yet.');
  else terminal.title('What would help, the largest gain first');
  for (const [at, { kind, policy, head, message }] of diagnosis.advice.entries()) {
    const about = [policy, head].filter(each => each !== null).join(', ');
    terminal.line();
    terminal.line(`${at + 1}. ${kind.replaceAll('_', ' ')}${about === '' ? '' : ` (${about})`}`);
    terminal.line(`   ${message}`);
  }
  if (diagnosis.families.length > 0) {
    terminal.line();
    terminal.title('Where hits and misses come from');
    showFamilies(terminal, diagnosis.families);
    terminal.line();
    terminal.title('Hit rate with another life (the columns are multiples of the present one)');
    showCurves(terminal, diagnosis.families);
  }
  if (diagnosis.l1_size_curve.length > 0) {
    terminal.line();
    terminal.title('Reads that the memory would answer with so many entries');
    terminal.table(
      diagnosis.l1_size_curve.map(({ entries }) => ({ title: count(entries), align: 'right' })),
      [diagnosis.l1_size_curve.map(point => percent(point.hit_rate))],
    );
  }
  for (const note of diagnosis.notes) {
    terminal.line();
    terminal.line(`Note: ${note}`);
  }
}

export function showFamilies(terminal: Terminal, families: readonly FamilyDiagnosis[]): void {
  terminal.table(
    [
      { title: 'keys of', maxWidth: 34 },
      { title: 'policy' },
      { title: 'life', align: 'right' },
      { title: 'keys', align: 'right' },
      { title: 'reads', align: 'right' },
      { title: 'hit rate', align: 'right' },
      { title: 'misses by cause', maxWidth: 44 },
    ],
    families.map(family => [
      family.head,
      family.policy,
      duration(family.ttl_ms),
      count(family.keys),
      count(family.reads),
      percent(family.hit_rate),
      breakdown(family.miss_causes),
    ]),
  );
}

function showCurves(terminal: Terminal, families: readonly FamilyDiagnosis[]): void {
  const [first] = families;
  const multiples = first!.life_curve.map(({ ttl_ms: ttlMs }) => ttlMs / first!.ttl_ms);
  terminal.table(
    [
      { title: 'keys of', maxWidth: 34 },
      ...multiples.map(multiple => ({
        title: multiple < 1 ? `1/${Math.round(1 / multiple)}` : `${multiple}`,
        align: 'right' as const,
      })),
      { title: 'same again', align: 'right' },
    ],
    families.map(({ head, life_curve: curve, unchanged_share: unchanged }) => [
      head,
      ...curve.map(point => percent(point.hit_rate)),
      unchanged === null ? '–' : percent(unchanged),
    ]),
  );
}
