import { median, pairedRatio, spread } from './median';
import type { Measured } from './race';

/** One comparison: contenders that did the same, and what is claimed of them. */
export interface Answer {
  readonly what: string;
  /** Of the values; less is better. */
  readonly unit: string;
  readonly measured: readonly Measured[];
  readonly claims?: readonly Claim[];
  /** Whose value the others' are divided by. Default: the first. */
  readonly over?: string;
}

/** Something that has to be reached, with what it came to. */
export interface Claim {
  readonly what: string;
  readonly value: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Circumstances {
  readonly node: string;
  readonly cpus: number;
  /** Of the packages that are compared, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly short: boolean;
}

export function isReached({ value, atMost = Infinity, atLeast = -Infinity }: Claim): boolean {
  return value <= atMost && value >= atLeast;
}

/** How many times the value of another contender one has; with `values` as times, less is better. */
export function ratio(measured: readonly Measured[], of: string, over: string): number {
  const valuesOf = (name: string): readonly number[] => {
    const found = measured.find(each => each.name === name);
    if (!found) throw new RangeError(`there is no contender ${name}`);
    return found.values;
  };
  return pairedRatio(valuesOf(of), valuesOf(over));
}

/** The fastest of those named, by median. */
export function bestOf(measured: readonly Measured[], names: readonly string[]): string {
  const medianOf = (name: string): number => median(measured.find(each => each.name === name)!.values);
  return names.reduce((best, name) => (medianOf(name) < medianOf(best) ? name : best));
}

/** Tables of medians, spreads and ratios, and whether each claim is reached. */
export function report(
  title: string,
  answers: readonly Answer[],
  how: Circumstances,
): { markdown: string; json: object } {
  const lines = [`# ${title}`, '', circumstances(how), ''];
  for (const answer of answers) lines.push(...tableOf(answer), '');
  const claims = answers.flatMap(answer =>
    (answer.claims ?? []).map(claim => ({ of: answer.what, ...claim, reach: isReached(claim) })),
  );
  if (claims.length > 0) lines.push('## Reach', '', ...reachTable(claims), '');
  return {
    markdown: `${lines.join('\n').trimEnd()}\n`,
    json: { title, how, answers, claims },
  };
}

export interface ReachedClaim extends Claim {
  readonly of: string;
  readonly reach: boolean;
}

export function reachTable(claims: readonly ReachedClaim[]): string[] {
  return [
    '| in | claim | limit | measured | reach |',
    '| --- | --- | --: | --: | --- |',
    ...claims.map(
      claim =>
        `| ${claim.of} | ${claim.what} | ${limitOf(claim)} | ${short(claim.value)} | ${claim.reach ? 'yes' : 'no'} |`,
    ),
  ];
}

function tableOf({ what, unit, measured, over }: Answer): string[] {
  const base = over ?? measured[0]!.name;
  const notes = measured.some(each => each.note !== undefined);
  return [
    `## ${what}`,
    '',
    `| contender | ${unit} | spread | × ${base} |${notes ? ' |' : ''}`,
    `| --- | --: | --: | --: |${notes ? ' --- |' : ''}`,
    ...measured.map(({ name, values, note }) => {
      const cells = [name, short(median(values)), `${Math.round(spread(values) * 100)} %`];
      const row = `| ${cells.join(' | ')} | ${short(ratio(measured, name, base))} |`;
      return notes ? `${row} ${note ?? ''} |` : row;
    }),
  ];
}

function circumstances({ node, cpus, short: isShort, versions }: Circumstances): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Node ${node}, ${cpus} cores, contenders in turn, medians of the rounds; the spread is that of the middle half, as a share of the median.`,
    ...(packages.length > 0 ? [`Beside ${packages.join(', ')}.`] : []),
    'The ratios are what can be quoted; the times are this machine’s.',
    ...(isShort ? ['**A short run: too few rounds to quote.**'] : []),
  ].join(' ');
}

function limitOf({ atMost, atLeast }: Claim): string {
  return atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
}

/** Three digits that say something. */
function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(value < 0.001 ? 1 : 3)));
}
