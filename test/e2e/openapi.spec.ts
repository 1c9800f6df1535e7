import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf, type Operation, type ResponseObject, type Schema } from '../../src/openapi/operations';
import { Application } from './harness/application';
import { schemaErrors } from './harness/api-schema';
import { countsOf, expectUntouched } from './harness/counts';
import { expectProblem } from './harness/problem';

type Parameter = Exclude<NonNullable<Operation['parameters']>[number], { $ref: string }>;

const root = join(__dirname, '../..');
const errorsPage = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const statusOfCode = new Map(
  [...errorsPage.matchAll(/^\| `([A-Z_]+)`\s*\| (\d{3})/gm)].map(([, code, status]) => [code!, status!]),
);

let app: Application;
let document: OpenAPIObject;
beforeAll(async () => {
  app = await Application.start();
  document = (await app.get<OpenAPIObject>('/docs/openapi.json')).body;
}, 60_000);
afterAll(() => app.stop());

const operations = (): { name: string; path: string; operation: Operation }[] =>
  operationsOf(document).map(({ path, operation }) => ({
    name: operation.operationId ?? path,
    path,
    operation,
  }));

/** What is wrong with each operation, by its name. */
function faults(of: (operation: Operation, path: string) => readonly string[]): string[] {
  return operations().flatMap(({ name, path, operation }) =>
    of(operation, path).map(fault => `${name}: ${fault}`),
  );
}

describe('the OpenAPI document', () => {
  it('lets the body of a heartbeat be left out', () => {
    const beat = operations().find(({ path }) => path.endsWith('/heartbeat'))!;
    expect(beat.operation.requestBody).toMatchObject({ required: false });
  });

  it('is valid', () => {
    // Its validator is an ES module, which Jest cannot load.
    const check = `import('@seriousme/openapi-schema-validator').then(async ({ Validator }) => {
      const text = require('node:fs').readFileSync(0, 'utf8');
      console.log(JSON.stringify(await new Validator().validate(JSON.parse(text))));
    })`;
    const input = JSON.stringify(document);
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', check], {
      cwd: root,
      input,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ valid: true });
  });

  it('is the same as YAML', async () => {
    const { status, text } = await app.get('/docs/openapi.yaml');
    expect(status).toBe(200);
    expect(text).toContain('/api/v1/agents/{id}:');
  });

  it('has one schema for each class of a body: of two with a name it would have the last', () => {
    const classes = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.dto.ts'))
      .flatMap(
        file => readFileSync(join(root, 'src', file), 'utf8').match(/(?<=^(?:export )?class )\w+/gm) ?? [],
      );
    expect(classes.length).toBeGreaterThan(100);
    expect(classes.filter((name, index) => classes.indexOf(name) !== index)).toEqual([]);
  });

  it('has every handler of every controller', () => {
    const handlers = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.controller.ts'))
      .flatMap(file => {
        const source = readFileSync(join(root, 'src', file), 'utf8');
        const controller = /export class (\w+)/.exec(source)![1]!;
        const routes = [...source.matchAll(/^ {2}@(?:Get|Post|Patch|Put|Delete|Sse)\(/gm)];
        return routes.map(
          ({ index }) => `${controller}_${/^ {2}(?:async )?(\w+)\(/m.exec(source.slice(index))![1]!}`,
        );
      });
    expect(handlers.length).toBeGreaterThan(30);
    expect(operations().map(({ name }) => name).sort()).toEqual(handlers.sort()); // prettier-ignore
  });

  it('says of each operation what it does, under a tag', () => {
    expect(
      faults(({ summary, tags }) => [
        ...(summary ? [] : ['no summary']),
        ...(tags?.length === 1 ? [] : ['not one tag']),
      ]),
    ).toEqual([]);
  });

  it('describes each parameter, with its limits and an example', () => {
    const limited = ['enum', 'pattern', 'maxLength', 'minimum', 'maximum', 'format'];
    expect(
      faults(({ parameters = [] }, path) => {
        const all = parameters as Parameter[];
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
        const missing = inPath.filter(name => !all.some(each => each.in === 'path' && each.name === name));
        return [
          ...missing.map(name => `${name} of the path is missing`),
          ...all.flatMap(({ name, description, schema, example, in: where }) => {
            const { type, ...rules } = schema as Schema;
            const isLimited = type === 'boolean' || limited.some(rule => rule in rules) || where === 'header';
            const hasExample =
              example !== undefined ||
              ['example', 'enum', 'default', 'minimum'].some(rule => rule in rules) ||
              type === 'boolean';
            return [
              ...(description ? [] : [`${name} has no description`]),
              ...(isLimited ? [] : [`${name} has no limits`]),
              ...(hasExample ? [] : [`${name} has no example`]),
            ];
          }),
        ];
      }),
    ).toEqual([]);
  });

  it('gives each answer a description, and its body a schema and an example that fits it', () => {
    expect(
      faults(({ responses, requestBody }) => {
        const bodies = [
          ...(requestBody && !('$ref' in requestBody) ? [['body', requestBody] as const] : []),
          ...Object.entries(responses),
        ];
        return bodies.flatMap(([status, answer]) => {
          if (!answer || '$ref' in answer) return [];
          if (status !== 'body' && !answer.description) return [`${status} has no description`];
          const hasNone = status === '204' || status === '304';
          if (!answer.content) return hasNone ? [] : [`${status} has no content`];
          return Object.entries(answer.content).flatMap(([type, { schema, example, examples }]) => {
            if (!schema) return [`${status} ${type} has no schema`];
            if (example === undefined && !examples) return [`${status} ${type} has no example`];
            const all = examples ? Object.values(examples).map(each => (each as { value: unknown }).value) : [example]; // prettier-ignore
            if (!/\bjson\b/.test(type)) return [];
            return all.flatMap(each =>
              schemaErrors(document, schema, each).map(error => `${status} ${type}: ${error}`),
            );
          });
        });
      }),
    ).toEqual([]);
  });

  it('has an example for every property of every schema', () => {
    const { schemas = {} } = document.components!;
    const lacking = Object.entries(schemas).flatMap(([name, schema]) =>
      Object.entries((schema as Schema).properties ?? {}).flatMap(([property, part]) =>
        name === 'Problem' || hasExample(part as Schema) ? [] : [`${name}.${property}`],
      ),
    );
    expect(lacking).toEqual([]);
  });

  it('has patterns that mean without flags what they say, and take their examples', () => {
    const known = new Set<string>();
    const faultsAt = (part: unknown, examples: readonly unknown[] = []): string[] => {
      if (typeof part !== 'object' || part === null) return [];
      const { pattern, example, allOf, schema, ...others } = part as Record<string, unknown>;
      const texts = [...examples, example].filter(each => typeof each === 'string');
      const below = [...[allOf].flat(), schema].flatMap(each => faultsAt(each, texts));
      below.push(...Object.values(others).flatMap(each => faultsAt(each)));
      if (typeof pattern !== 'string') return below;
      known.add(pattern);
      const isPlain = !/\\[pP]\{|\\u\{/.test(pattern);
      const refused = texts.filter(text => !new RegExp(pattern).test(text));
      return [...below, ...(isPlain ? [] : [pattern]), ...refused.map(text => `${pattern} refuses ${text}`)];
    };
    expect(faultsAt([document.paths, document.components])).toEqual([]);
    expect(known.size).toBeGreaterThan(10);
  });

  it('names the codes of each error, and they have that status in docs/errors.md', () => {
    expect(
      faults(({ responses }) =>
        Object.entries(responses).flatMap(([status, answer]) => {
          if (!answer || '$ref' in answer || !/^[45]/.test(status)) return [];
          if (!answer.content?.['application/problem+json'])
            return answer.content?.['application/json'] ? [] : [`${status} is no problem+json`];
          const codes = answer.description.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [];
          if (codes.length === 0) return [`${status} names no code`];
          return codes
            .filter(code => statusOfCode.get(code) !== status)
            .map(code => `${status} ${code} is ${statusOfCode.get(code) ?? 'not there'} in docs/errors.md`);
        }),
      ),
    ).toEqual([]);
  });

  it('names every code of docs/errors.md, but for those that no route gives', () => {
    const text = JSON.stringify(document);
    const withoutOne = [...errorsPage.matchAll(/^\| `(\w+)`.* that has no code of its own/gm)];
    const ofNoRoute = new Set([
      ...withoutOne.map(([, code]) => code),
      ...['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'NOT_IMPLEMENTED', 'NOT_ACCEPTABLE'],
      ...['VALUE_TOO_LARGE', 'VALUE_NOT_SERIALISABLE'], // of calls of the cache in the application
    ]);
    const expected = [...statusOfCode.keys()].filter(code => !ofNoRoute.has(code));
    expect(expected.length).toBeGreaterThan(60);
    expect(expected.filter(code => !new RegExp(`\\b${code}\\b`).test(text))).toEqual([]);
  });

  it('names what the cache answers with when it has nothing, on every cached route', () => {
    const codes = ['CACHE_LOAD_TIMEOUT', 'CACHE_DEADLINE', 'CACHE_OVERLOADED', 'CACHE_CLOSED'];
    const ofAll = document.components!.responses!['Problem'] as ResponseObject;
    expect(
      faults(({ responses }) => {
        if (!responses['304']) return [];
        const { description } = (responses['503'] as ResponseObject | undefined) ?? ofAll;
        return codes.filter(code => !description.includes(code));
      }),
    ).toEqual([]);
  });

  it('says of admin routes what a key has to be allowed, and what is answered without', () => {
    const open = operations().filter(({ operation }) => !operation.security);
    const admin = operations().filter(({ operation }) => operation.security);
    expect(admin.length).toBeGreaterThan(15);
    for (const { operation } of admin)
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
    // Nothing but reading is open to everybody.
    expect(open.filter(({ path, operation }) => document.paths[path]!.get !== operation)).toEqual([]);
  });

  it('says of cached routes which policy they are under, their headers, and that they answer 304', () => {
    const { operation } = operations().find(({ name }) => name === 'AgentsController_list')!;
    expect(operation.description).toMatch(/policy api, 30 s fresh/);
    expect(operation.description).toContain('Settings may give the policy another life');
    const own = operations().find(({ name }) => name === 'BenchmarkController_one')!;
    expect(own.operation.description).toMatch(/policy compute, 300 s fresh, 0 s stale, tier \w+\.$/);
    expect(operation.responses['200']).toMatchObject({ headers: { Age: {}, ETag: {}, 'Cache-Status': {} } });
    expect(operation.responses['304']).toBeDefined();
    const uncached = operations().find(({ name }) => name === 'HealthController_live')!;
    expect(uncached.operation.responses['304']).toBeUndefined();
  });

  it('has no cached route that ignores a parameter, whatever its name: none is a way past the cache', async () => {
    const cached = operations().filter(({ operation }) => operation.responses['304']);
    expect(cached.length).toBeGreaterThan(15);
    // Those that every object has got lost before they could be refused.
    const names = ['nothing', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)];
    for (const { path, operation } of cached) {
      expect(operation.responses['400']).toMatchObject({
        description: expect.stringContaining('UNKNOWN_FIELD') as unknown,
      });
      const target = path.replaceAll(/\{\w+\}/g, 'anything');
      await expectUntouched(
        () => countsOf(app),
        async () => {
          for (const name of names) {
            const { errors } = expectProblem(await app.get(`${target}?${name}=1`), 400, 'UNKNOWN_FIELD');
            expect(errors?.map(error => error.path)).toEqual([name]);
          }
        },
      );
    }
  });
});

function hasExample(schema: Schema): boolean {
  if ('$ref' in schema) return true;
  const own = ['example', 'enum', 'default'].some(name => name in schema);
  const parts = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (own || schema.type === 'boolean' || /^(date-time|uuid)$/.test(schema.format ?? '')) return true;
  if (parts.length > 0) return parts.every(part => hasExample(part as Schema));
  if (schema.type === 'array') return hasExample((schema.items ?? {}) as Schema);
  if (schema.properties) return Object.values(schema.properties).every(part => hasExample(part as Schema));
  return typeof schema.additionalProperties === 'object' && hasExample(schema.additionalProperties as Schema);
}
