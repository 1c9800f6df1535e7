import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { AppConfig, settingsSchema, settingsTable } from './app-config';
import { cleanupConflict } from './cleanup-folders';
import { isUnset } from './setting';

type Tree = { [key: string]: unknown };

/** The folder of the configuration files, beside `src` and `dist`. */
export const configFolder = resolve(__dirname, '../../config');

/** The configuration cannot be used; `problems` holds all of them, each a sentence that names the setting. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(line => `  - ${line}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

/**
 * Reads `default.yaml`, lays `<environment>.yaml` over it and the environment variables over both, and checks the result.
 * @throws ConfigError with every problem at once
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env, folder = configFolder): AppConfig {
  const problems: string[] = [];
  const origins = new Map<string, string>();
  const tree = readYaml('default.yaml');
  const environment = isUnset(env['NODE_ENV']) ? tree['environment'] : env['NODE_ENV'];
  if (typeof environment === 'string' && /^[a-z]+$/.test(environment)) {
    const overlay = readYaml(`${environment}.yaml`);
    if ('environment' in overlay)
      problems.push(`environment in config/${environment}.yaml: only NODE_ENV and default.yaml may set it`);
    merge(tree, { ...overlay, environment: tree['environment'] });
  }
  for (const { key, env: name } of settingsTable()) {
    if (isUnset(env[name])) continue;
    write(tree, key.split('.'), env[name]);
    origins.set(key, name);
  }
  const parsed = settingsSchema.safeParse(tree);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(issue => describe(issue)));
  const conflict =
    parsed.data && cleanupConflict(parsed.data.tasks.cleanupFolders, parsed.data.database.dataDir);
  if (conflict !== undefined)
    problems.push(`${origins.get('tasks.cleanupFolders') ?? 'tasks.cleanupFolders'} ${conflict}`);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return new AppConfig(parsed.data);

  function readYaml(name: string): Tree {
    const path = join(folder, name);
    if (!existsSync(path)) return {};
    const document = parseDocument(readFileSync(path, 'utf8'));
    const first = document.errors[0];
    const content: unknown = first ? undefined : document.toJS();
    if (first) problems.push(`config/${name} is not YAML: ${first.message.split('\n')[0] ?? ''}`);
    else if (!isUnset(content) && !isTree(content)) problems.push(`config/${name} must hold keys and values`);
    if (!isTree(content)) return {};
    note(content, [], `config/${name}`);
    return content;
  }

  function note(values: Tree, path: readonly string[], file: string): void {
    for (const [key, value] of Object.entries(values)) {
      if (isTree(value)) note(value, [...path, key], file);
      else origins.set([...path, key].join('.'), `${[...path, key].join('.')} in ${file}`);
    }
  }

  function describe(issue: ZodIssue): string[] {
    const key = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        name =>
          `${origins.get([...issue.path, name].join('.')) ?? [...issue.path, name].join('.')} is not a setting`,
      );
    }
    if (issue.code === 'invalid_type') return [`${origins.get(key) ?? key} must hold keys and values`];
    return [`${origins.get(key) ?? key} ${issue.message}`];
  }
}

type ZodIssue = NonNullable<ReturnType<(typeof settingsSchema)['safeParse']>['error']>['issues'][number];

function merge(base: Tree, over: Tree): void {
  for (const [key, value] of Object.entries(over)) {
    const under = base[key];
    if (isTree(value) && isTree(under)) merge(under, value);
    else if (value !== undefined) base[key] = value;
  }
}

function write(tree: Tree, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const next = tree[head] ?? {};
  if (!isTree(next)) return; // reported by the schema: a section must hold keys and values
  tree[head] = next;
  write(next, rest, value);
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
