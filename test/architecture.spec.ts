import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '..');
const program = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

function violations(folder: string): Violation[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 256 * 1_024 * 1_024,
    },
  );
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

/** A small project with the same rules, whose files are given by path and content. */
function projectWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, name), join(folder, name));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

describe('import directions', () => {
  it('hold in the whole source', () => {
    expect(violations(root).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  it('are broken by each of these imports, type-only ones included, and by nothing else', () => {
    const broken: Record<string, [file: string, content: string]> = {
      'core-is-alone': [
        'src/cache/core/a.ts',
        "import type { Redis } from 'ioredis';\nexport type A = Redis;\n",
      ],
      'memory-over-core': [
        'src/cache/memory/a.ts',
        "import type { R } from '../redis/r';\nexport type A = R;\n",
      ],
      'cache-knows-no-application': [
        'src/cache/nest/a.ts',
        "import { c } from '../../config/c';\nexport const a = c;\n",
      ],
      'cache-through-its-index': [
        'src/agents/a.ts',
        "import type { R } from '../cache/redis/r';\nexport type A = R;\n",
      ],
      features: [
        'src/models/a.ts',
        "import { x } from '../agents/agents.repository';\nexport const a = x;\n",
      ],
      http: ['src/http/a.ts', "import { c } from '../config/c';\nexport const a = c;\n"],
      'config-alone': ['src/config/a.ts', "import { h } from '../http/h';\nexport const a = h;\n"],
      'ioredis-in-two-places': [
        'src/settings/a.ts',
        "import type { Redis } from 'ioredis';\nexport type A = Redis;\n",
      ],
      'declared-packages': ['src/database/a.ts', "import fc from 'fast-check';\nexport const a = fc;\n"],
      'nobody-imports-the-top': [
        'src/hardware/a.ts',
        "import { top } from '../top';\nexport const a = top;\n",
      ],
      resolvable: ['src/redis/a.ts', "import { nothing } from './nothing';\nexport const a = nothing;\n"],
    };
    const folder = projectWith({
      ...Object.fromEntries(Object.values(broken)),
      'node_modules/ioredis/package.json': '{"name":"ioredis","main":"index.js"}',
      'node_modules/ioredis/index.js': 'exports.Redis = 1;\n',
      'node_modules/fast-check/package.json': '{"name":"fast-check","main":"index.js"}',
      'node_modules/fast-check/index.js': 'module.exports = 1;\n',
      'src/cache/redis/r.ts': 'export type R = 1;\n',
      'src/cache/index.ts': "export { r } from './core/r';\n",
      'src/cache/core/r.ts': 'export const r = 1;\n',
      'src/config/c.ts': 'export const c = 1;\n',
      'src/http/h.ts': 'export const h = 1;\n',
      'src/top.ts': 'export const top = 1;\n',
      'src/agents/agents.repository.ts': 'export const x = 1;\n',
      'src/agents/agents.service.ts':
        "import { r } from '../cache';\nimport { x } from './agents.repository';\nexport const s = r + x;\n",
      'src/health/allowed.ts': "import { s } from '../agents/agents.service';\nexport const a = s;\n",
      'src/metrics/one.ts': "import type { Two } from './two';\nexport type One = Two | 1;\n",
      'src/metrics/two.ts': "import type { One } from './one';\nexport type Two = One | 2;\n",
    });
    try {
      const found = violations(folder);
      for (const [rule, [file]] of Object.entries(broken)) {
        expect(found).toContainEqual(
          expect.objectContaining({ from: file, rule: expect.objectContaining({ name: rule }) }),
        );
      }
      expect(found).toContainEqual(
        expect.objectContaining({ rule: expect.objectContaining({ name: 'no-circular' }) }),
      );
      const innocent = new Set([
        ...Object.values(broken).map(([file]) => file),
        'src/metrics/one.ts',
        'src/metrics/two.ts',
      ]);
      expect(found.filter(({ from }) => !innocent.has(from))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
