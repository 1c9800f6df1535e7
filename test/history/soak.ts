import { parseArgs } from 'node:util';
import { Cluster } from './cluster';
import { judge } from './judge';
import { countUnhandledRejections, openFilesOf } from './measures';
import { ofKind, type HistoryRecord, type Violation } from './records';
import { slopePerMinute, type Sample } from './slope';
import { Summary } from './summary';

/**
 * The program behind `npm run history`: histories with all faults, one after the other on the same instances, until the
 * time is over. Prints how it goes and the table, and ends with 1 when a history shows what none may show.
 */
const partMs = 20_000;
/** What is printed of a history around a violation. */
const [beforeMs, afterMs] = [150, 30];
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? process.env['HISTORY_SEED'] ?? Date.now() % 1_000_000);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new Error('usage: npm run history -- [--minutes 10] [--seed 123]');
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const summary = new Summary();
const samples = new Map<string, Sample[]>();

async function soak(): Promise<void> {
  print(`seed ${seed}, ${minutes} minutes`);
  countUnhandledRejections();
  const cluster = await Cluster.start({ seed });
  let rejections = 0;
  try {
    const parts = Math.max(1, Math.round((minutes * 60_000) / partMs));
    const beganAtMs = performance.now();
    for (let part = 1; part <= parts; part += 1) {
      await onePart(cluster, part);
      const measured = await cluster.measure();
      const atMs = performance.now() - beganAtMs;
      const take = (name: string, value: number): void => {
        samples.set(name, [...(samples.get(name) ?? []), { atMs, value }]);
      };
      for (const [process, { heapBytes, openFiles }] of measured) {
        take(`heap of ${process}, KiB`, heapBytes / 1_024);
        take(`files of ${process}`, openFiles);
      }
      take('files of redis', openFilesOf(cluster.stage.redisPid));
      rejections = [...measured.values()].reduce((sum, one) => sum + one.unhandledRejections, 0);
      print(`  ${part}/${parts} after ${Math.round(atMs / 1_000)} s: ${summary.violations} violations`);
    }
    await cluster.close();
  } finally {
    await cluster.stop();
  }
  print(`\n${summary.toString()}`);
  print(`  unhandled rejections        ${rejections}`);
  for (const [name, taken] of samples) {
    const first = Math.round(taken[0]!.value);
    const last = Math.round(taken.at(-1)!.value);
    print(`  ${name.padEnd(28)}${first} to ${last}, slope ${slopePerMinute(taken).toFixed(2)} a minute`);
  }
  if (summary.violations > 0 || rejections > 0) {
    print(`\nRepeat its plan of faults with --seed ${seed}`);
    process.exitCode = 1;
  }
}

async function onePart(cluster: Cluster, part: number): Promise<void> {
  const history = await cluster.history({ lengthMs: partMs, faultsOf: part });
  const violations = judge(history, cluster.instanceNames);
  summary.add(history, violations);
  for (const violation of violations.slice(0, 10)) explain(violation, history);
  if (violations.length === 0) return;
  print('  faults:');
  for (const { start, end, what } of ofKind(history, 'fault'))
    print(`    ${start.toFixed(1)} to ${end.toFixed(1)} ${what}`);
}

/** The violation, and what happened to its key and its instances just before. */
function explain({ check, what, key, at = 0 }: Violation, history: readonly HistoryRecord[]): void {
  print(`  ${check}: ${what}`);
  const around = history
    .filter(({ start }) => start > at - beforeMs && start < at + afterMs)
    .filter(record => !('key' in record) || record.key === key || key?.split('>').includes(record.key))
    .sort((a, b) => a.start - b.start);
  for (const record of around) print(`      ${JSON.stringify(record)}`);
}

void soak().catch((error: unknown) => {
  print(error instanceof Error ? (error.stack ?? error.message) : String(error));
  print(`\nRepeat its plan of faults with --seed ${seed}`);
  process.exitCode = 1;
});
