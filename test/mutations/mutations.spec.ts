import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Mutation {
  name: string;
  file: string;
  find: string;
  replace: string;
  tests: string[];
}

/** The list is a module of the kind that a plain script reads; a process of its own can import it. */
function mutations(): Mutation[] {
  const list = JSON.stringify(join(__dirname, 'mutations.mjs'));
  const program = `import { mutations } from ${list}; process.stdout.write(JSON.stringify(mutations));`;
  const args = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Mutation[];
}

const all = mutations();
const root = join(__dirname, '..', '..');
const specs = ['src', 'test'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.spec.ts'))
    .map(file => `${folder}/${file}`),
);

describe('the mutations', () => {
  it.each(all.map(mutation => [mutation.name, mutation] as const))(
    '%s: stands for text that is there once, and tests that are there',
    (_name, { file, find, replace, tests }) => {
      expect(readFileSync(join(root, file), 'utf8').split(find)).toHaveLength(2);
      expect(replace).not.toBe(find);
      expect(tests.length).toBeGreaterThan(0);
      for (const test of tests) expect([test, specs.some(spec => spec.includes(test))]).toEqual([test, true]);
    },
  );

  it('have names of their own', () => {
    const names = all.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
