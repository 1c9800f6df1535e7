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

interface Declaration {
  /** File and line, from the root of the project. */
  where: string;
  decorator: string;
  /** What is wrong with it, or undefined. */
  fault: string | undefined;
}

/** The cache decorators of one file of a feature. */
function declarationsIn(path: string, text: string): Declaration[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = importsOf(file);
  const found: Declaration[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isDecorator(node) && ts.isCallExpression(node.expression)) {
      const decorator = node.expression.expression.getText(file);
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      const fault = faultOf(decorator, node.expression.arguments, path, imports);
      if (fault !== null) found.push({ where: `${path}:${line}`, decorator, fault });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Null: no decorator of the cache. */
function faultOf(
  decorator: string,
  given: ts.NodeArray<ts.Expression>,
  path: string,
  imports: ReadonlyMap<string, string>,
): string | undefined | null {
  const isCaching = decorator === 'Cached' || ofPolicies.includes(decorator);
  if (!isCaching && decorator !== 'InvalidatesCache') return null;
  const [options] = given;
  if (!options || given.length > 1) return 'has not one argument';
  if (!isCaching) return holdsText(options) ? 'has tags of its own' : undefined;
  if (!ts.isPropertyAccessExpression(options) || !ts.isIdentifier(options.expression))
    return 'is declared where it stands';
  const from = imports.get(options.expression.text) ?? '';
  return isOwnCacheFile(from, path) ? undefined : `is declared in ${from || 'its own file'}`;
}

/** Whether a file is a `cache.ts` of the feature that the other one belongs to: beside it or above it. */
function isOwnCacheFile(cacheFile: string, path: string): boolean {
  const folder = dirname(cacheFile);
  const isAbove = `${dirname(path)}/`.startsWith(`${folder}/`);
  return cacheFile.endsWith('/cache.ts') && folder !== 'src' && isAbove;
}

function importsOf(file: ts.SourceFile): ReadonlyMap<string, string> {
  const imports = new Map<string, string>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) continue;
    const target = join(dirname(file.fileName), `${statement.moduleSpecifier.text}.ts`);
    for (const { name } of bindings.elements) imports.set(name.text, target);
  }
  return imports;
}

function holdsText(node: ts.Node): boolean {
  return (
    ts.isStringLiteralLike(node) || (ts.forEachChild(node, child => holdsText(child) || undefined) ?? false)
  );
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
    ["@InvalidatesCache({ tags: ['agents'] })", 'has tags of its own'],
    ['@CacheStaticData(agentsCache.one)', undefined],
    ['@InvalidatesCache({ tags: [agentsCache.tag] })', undefined],
  ])('is refused by this test where it should be: %s', (decorator, fault) => {
    const text = `
      import { other } from '../models/cache';
      import { cache } from '../cache';
      import { agentsCache } from './cache';
      const own = { one: {} };
      class C { ${decorator} m() {} }`;
    expect(declarationsIn('src/agents/c.ts', text)).toMatchObject([{ fault }]);
  });
});
