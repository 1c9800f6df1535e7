import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '..');
const ofPolicies = [
  'CacheModelData',
  'CacheSessionData',
  'CacheApiResponse',
  'CacheDatabaseQuery',
  'CacheHeavyComputation',
  'CacheStaticData',
];

const decorators: ReadonlySet<string> = new Set(['Cached', 'InvalidatesCache', ...ofPolicies]);

/** What a file imports, by the name that it has there: its own name, and its file from the root of the project. */
type Imports = ReadonlyMap<string, { name: string; from: string }>;

interface Declaration {
  /** File and line, from the root of the project. */
  where: string;
  decorator: string;
  /** What is wrong with it, or undefined. */
  fault: string | undefined;
}

/** Where one file of a feature names a cache decorator: at what it decorates, inside another decorator, or anywhere else. */
function declarationsIn(path: string, text: string): Declaration[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = importsOf(file);
  const found: Declaration[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    const decorator = ts.isIdentifier(node) ? (imports.get(node.text)?.name ?? node.text) : '';
    if (decorators.has(decorator)) {
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      found.push({ where: `${path}:${line}`, decorator, fault: faultOf(node, path, imports) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** What is wrong where a decorator is named. It may be behind the name of all that a module exports. */
function faultOf(name: ts.Node, path: string, imports: Imports): string | undefined {
  const isMember = ts.isPropertyAccessExpression(name.parent) && name.parent.name === name;
  const callee = isMember ? name.parent : name;
  const call = callee.parent;
  if (!ts.isCallExpression(call) || call.expression !== callee) return 'is not called';
  const [options] = call.arguments;
  if (!options || call.arguments.length > 1) return 'has not one argument';
  if (!ts.isPropertyAccessExpression(options) || !ts.isIdentifier(options.expression))
    return 'is declared where it stands';
  const from = imports.get(options.expression.text)?.from ?? '';
  return isOwnCacheFile(from, path) ? undefined : `is declared in ${from || 'its own file'}`;
}

/** Whether a file is a `cache.ts` of the feature that the other one belongs to: beside it or above it. */
function isOwnCacheFile(cacheFile: string, path: string): boolean {
  const folder = dirname(cacheFile);
  const isAbove = `${dirname(path)}/`.startsWith(`${folder}/`);
  return cacheFile.endsWith('/cache.ts') && folder !== 'src' && isAbove;
}

function importsOf(file: ts.SourceFile): Imports {
  const imports = new Map<string, { name: string; from: string }>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) continue;
    const from = join(dirname(file.fileName), `${statement.moduleSpecifier.text}.ts`);
    for (const { name, propertyName } of bindings.elements)
      imports.set(name.text, { name: (propertyName ?? name).text, from });
  }
  return imports;
}

const all = (readdirSync(join(root, 'src'), { recursive: true }) as string[])
  .map(path => `src/${path}`)
  .filter(path => path.endsWith('.ts') && !path.endsWith('.spec.ts') && !path.startsWith('src/cache/'))
  .flatMap(path => declarationsIn(path, readFileSync(join(root, path), 'utf8')));

describe('what is cached', () => {
  it('is declared in the cache.ts of its module, so that one place says what invalidates what', () => {
    expect(all.filter(({ fault }) => fault !== undefined)).toEqual([]);
  });

  it.each(ofPolicies)('is under @%s somewhere', name => {
    expect(all.filter(({ decorator }) => decorator === name)).not.toEqual([]);
  });

  it.each([
    ['@CacheApiResponse({ ttlMs: 1 })', 'is declared where it stands'],
    ["@Cached({ policy: 'api' })", 'is declared where it stands'],
    ['@CacheStaticData()', 'has not one argument'],
    ['@CacheStaticData(own.one)', 'is declared in its own file'],
    ['@CacheStaticData(other.one)', 'is declared in src/models/cache.ts'],
    ['@CacheStaticData(cache.one)', 'is declared in src/cache.ts'],
    ['@CacheStaticData(agentsCache.one)', undefined],
    ["@InvalidatesCache({ tags: ['agents'] })", 'is declared where it stands'],
    ['@InvalidatesCache({ tags: [own.tag] })', 'is declared where it stands'],
    ['@InvalidatesCache(own.one)', 'is declared in its own file'],
    ['@InvalidatesCache(other.write)', 'is declared in src/models/cache.ts'],
    ['@InvalidatesCache(agentWrites.change)', undefined],
    ['@applyDecorators(CacheStaticData(own.one))', 'is declared in its own file'],
    ['@applyDecorators(CacheStaticData(agentsCache.one))', undefined],
    ['@applyDecorators(...[own.one].map(CacheStaticData))', 'is not called'],
    ['@Renamed(own.one)', 'is declared in its own file'],
    ['@Renamed(agentWrites.change)', undefined],
    ['@everything.Cached(own.one)', 'is declared in its own file'],
  ])('is refused by this test where it should be: %s', (decorator, fault) => {
    const text = `
      import { other } from '../models/cache';
      import { cache } from '../cache';
      import { InvalidatesCache as Renamed } from '../cache';
      import { agentsCache, agentWrites } from './cache';
      const own = { one: {} };
      class C { ${decorator} m() {} }`;
    expect(declarationsIn('src/agents/c.ts', text)).toMatchObject([{ fault }]);
  });
});
