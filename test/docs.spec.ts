import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { policies, policyDefaults } from '../src/cache/core';
import { settingsTable } from '../src/config/app-config';

const root = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const cellsOf = (line: string): string[] => line.split('|').slice(1, -1).map(cell => cell.trim().replaceAll('`', '')); // prettier-ignore
const rowsOf = (text: string): string[][] => text.split('\n').filter(line => line.startsWith('| ')).slice(2).map(cellsOf); // prettier-ignore

describe('the documentation says what the code does', () => {
  test('the README lists every setting with its environment name, key, default, unit and meaning', () => {
    const table = /<!-- settings:[^>]*-->([^]*?)<!-- end of settings -->/.exec(read('README.md'))?.[1] ?? '';
    const expected = settingsTable().map(row => [row.env, row.key, row.default, row.unit, row.description]);
    expect(rowsOf(table)).toEqual(expected.map(row => row.map(cell => cell.replaceAll('`', ''))));
  });

  test('docs/cache.md shows each promise by tests that are there', () => {
    const table = /## What it promises\n([^]*?)\n### /.exec(read('docs/cache.md'))?.[1] ?? '';
    const lines = table.split('\n').filter(line => line.startsWith('| G'));
    expect(lines.map(line => line.slice(2, 4))).toEqual(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7']);
    const specs = ['src', 'test'].flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(file => join(folder, file)),
    );
    for (const line of lines) {
      const named = [
        ...line
          .split('|')
          .at(-2)!
          .matchAll(/`([\w.-]+)`([ \w]*)/g),
      ];
      expect(named.length).toBeGreaterThan(0);
      for (const [, name, numbers] of named) {
        const file = specs.find(path => path.endsWith(`/${name}.spec.ts`));
        expect(file).toEqual(expect.any(String));
        // A history is checked by what its checks are named after.
        const text = read(file!) + (name === 'history' ? read('test/history/checks.spec.ts') : '');
        for (const number of numbers!.split(' ').filter(Boolean)) expect(text).toContain(number);
      }
    }
  });

  test('docs/cache.md lists every policy with its TTL, stale window and tags', () => {
    const table = /## Policies\n([^]*?)\n### /.exec(read('docs/cache.md'))?.[1] ?? '';
    const seconds = (ms: number): string => (ms === 0 ? '0' : `${(ms / 1_000).toLocaleString('en')} s`);
    const expected = Object.values(policies).map(policy => [
      policy.name,
      seconds(policy.ttlMs),
      seconds(policy.staleMs),
      policy.tags.join(', '),
    ]);
    expect(rowsOf(table).map(([name, , ttl, stale, tags]) => [name, ttl, stale, tags])).toEqual(expected);
  });

  test('docs/cache.md gives the default of every option of a policy', () => {
    const table = /### Options of a policy\n([^]*?)\n### /.exec(read('docs/cache.md'))?.[1] ?? '';
    const written = new Map(rowsOf(table).map(([name, , value]) => [name, value?.split(' ')[0]]));
    for (const [name, value] of Object.entries(policyDefaults)) {
      const expected = Array.isArray(value)
        ? 'none'
        : typeof value === 'number'
          ? value.toLocaleString('en')
          : String(value);
      expect([name, written.get(name)]).toEqual([name, expected]);
    }
  });

  test('docs/errors.md lists every code with its status, and none that there is not', () => {
    const table = /<!-- codes:[^>]*-->([^]*?)<!-- end of codes -->/.exec(read('docs/errors.md'))?.[1] ?? '';
    const written = new Map(rowsOf(table).map(([code, status]) => [code!, Number(status)]));
    const source = sourceFiles().map(read).join('\n');
    const said = new Map<string, number>();
    const note = (
      pattern: RegExp,
      pick: (found: RegExpMatchArray) => readonly [code: string, status: number],
    ): void => {
      for (const found of source.matchAll(pattern)) said.set(...pick(found));
    };
    note(/(\d{3}): '([A-Z_]+)'/g, ([, status, code]) => [code!, Number(status)]);
    note(/refusal\(\s*'([A-Z_]+)'/g, ([, code]) => [code!, 400]);
    note(/status: (\d{3}),\s*code: '([A-Z_]+)'/g, ([, status, code]) => [code!, Number(status)]);
    note(/^ {2}([A-Z_]+): \{\s*status: (\d{3})/gm, ([, code, status]) => [code!, Number(status)]);
    note(/ProblemException\(\s*(\d{3}),\s*'([A-Z_]+)'/g, ([, status, code]) => [code!, Number(status)]);
    said.delete('REMOTE_UNAVAILABLE'); // the mapping gives it another code
    for (const event of ['ERR_HTTP_REQUEST_TIMEOUT', 'HPE_HEADER_OVERFLOW', 'HPE_CHUNK_EXTENSIONS_OVERFLOW'])
      said.delete(event); // what Node calls it
    expect(said.size).toBeGreaterThan(50);
    for (const [code, status] of said) expect([code, written.get(code)]).toEqual([code, status]);
    for (const code of written.keys())
      expect([code, source.includes(`'${code}'`) || said.has(code)]).toEqual([code, true]);
  });
});

/** What ships, from the folder of the repository. */
function sourceFiles(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map(file => join('src', file));
}
