import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const folder = join(process.cwd(), 'bench', 'results');

/** What every report begins with. */
export function machine(): { node: string; cpus: number } {
  return { node: process.version, cpus: cpus().length };
}

/** Writes `bench/results/NAME.md` and `NAME.json`. */
export function keepResult(name: string, { markdown, json }: { markdown: string; json: object }): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), markdown);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(json, undefined, 2)}\n`);
}

/** What a run has kept under that name. */
export function keptResult(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
}
