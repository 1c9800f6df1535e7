import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';

export interface Column {
  readonly title: string;
  /** Numbers stand on the right. */
  readonly align?: 'left' | 'right';
  readonly maxWidth?: number;
}

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** Where the program writes: results to stdout, so that they can be piped; progress and errors to stderr. */
export class Terminal {
  constructor(
    private readonly out: NodeJS.WriteStream,
    private readonly err: NodeJS.WriteStream,
  ) {}

  /** Whether somebody can be asked. */
  get isInteractive(): boolean {
    return process.stdin.isTTY === true && this.err.isTTY === true;
  }

  get canRedraw(): boolean {
    return this.out.isTTY === true;
  }

  line(text = ''): void {
    this.out.write(`${text}\n`);
  }

  note(text: string): void {
    this.err.write(`${text}\n`);
  }

  title(text: string): void {
    this.line(this.out.isTTY === true ? styleText('bold', text) : text);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, undefined, 2));
  }

  clear(): void {
    this.out.write('\u001b[2J\u001b[H');
  }

  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
    const table = new Table({
      head: columns.map(({ title }) => title),
      colAligns: columns.map(({ align = 'left' }) => align),
      colWidths: columns.map(({ maxWidth }) => maxWidth ?? null),
      style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
      chars: {
        ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
        ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
        ...{ right: '', 'right-mid': '', middle: '' },
      },
    });
    for (const row of rows) table.push([...row]);
    for (const line of table.toString().split('\n')) this.line(line.trimEnd());
  }

  /** A bar on stderr, where that is a terminal. */
  progress(label: string, total: number): Progress {
    const bar = new SingleBar({
      format: `${label} {bar} {percentage} %  {value}/{total}  {eta_formatted} left`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      stream: this.err,
      clearOnComplete: false,
    });
    bar.start(Math.max(1, total), 0);
    return { update: done => bar.update(Math.min(done, Math.max(1, total))), stop: () => bar.stop() };
  }
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${trimmed(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${trimmed(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${trimmed(ms / 3_600_000)} h` : `${trimmed(ms / 86_400_000)} days`;
}

export function bytes(count: number): string {
  if (count < 1_024) return `${count} B`;
  if (count < 1_048_576) return `${trimmed(count / 1_024)} KiB`;
  return `${trimmed(count / 1_048_576)} MiB`;
}

/** With a space between thousands. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** `1 key`, `2 keys`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** The counts that are not 0, the largest first. */
export function breakdown(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .filter(([, value]) => value > 0)
      .sort(([, a], [, b]) => b - a)
      .map(([name, value]) => `${name} ${count(value)}`)
      .join(', ') || '–'
  );
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(1)));
}
