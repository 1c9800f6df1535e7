import type { OpenAPIObject } from '@nestjs/swagger';
import { anyInputExtension } from '../../src/http/any-input.decorator';
import { operationsOf, type Operation } from '../../src/openapi/operations';
import { Application } from './harness/application';
import { countsOf, expectUntouched } from './harness/counts';
import { expectProblem, type Problem } from './harness/problem';

let app: Application;
let document: OpenAPIObject;
beforeAll(async () => {
  app = await Application.start();
  document = (await app.get<OpenAPIObject>('/docs/openapi.json')).body;
});
afterAll(() => app.stop());

interface Route {
  method: string;
  target: string;
  operation: Operation;
}

const routes = (): Route[] =>
  operationsOf(document).map(({ method, path, operation }) => ({
    method: method.toUpperCase(),
    target: path.replaceAll(/\{\w+\}/g, 'anything'),
    operation,
  }));
const withBody = ({ operation }: Route): boolean => operation.requestBody !== undefined;
const allowsAny = ({ operation }: Route): boolean => anyInputExtension in operation;

/** The refusal of a request, which has touched neither database nor cache. */
async function refusalOf({ method, target }: Route, query: string, body?: object): Promise<Problem> {
  let answer: Awaited<ReturnType<typeof app.request>> | undefined;
  await expectUntouched(
    () => countsOf(app),
    async () => (answer = await app.request(method, target + query, body, { 'If-Match': '*' })),
  );
  const { code } = answer!.body as { code: string };
  expect([method, target, answer!.status, code]).toEqual([method, target, 400, code]);
  return expectProblem(answer!, 400, code);
}

/** Of a value each variant that has one field more, in one of its objects, with the path of that field. */
function withFieldMore(value: unknown, name: string, at = ''): [variant: unknown, path: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const path = (field: string): string => (at === '' ? field : `${at}.${field}`);
  return [
    [{ ...value, [name]: 1 }, path(name)],
    ...Object.entries(value).flatMap(([field, part]) =>
      withFieldMore(part, name, path(field)).map(([variant, where]): [unknown, string] => [
        { ...value, [field]: variant },
        where,
      ]),
    ),
  ];
}

describe('what a route does not declare is refused before anything is asked', () => {
  // The reader of bodies refuses `__proto__`, `constructor` and `prototype` before: test/e2e/abuse/bodies.spec.ts.
  it.each(['nothing', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'toChange', 'fields'])(
    'the field %s of each body, at every depth',
    async name => {
      const all = routes().filter(withBody);
      expect(all.length).toBeGreaterThan(8);
      let depth = 0;
      for (const route of all) {
        const { content } = route.operation.requestBody as { content: Record<string, { example: unknown }> };
        for (const [body, path] of withFieldMore(content['application/json']!.example, name)) {
          depth = Math.max(depth, path.split('.').length);
          const { errors } = await refusalOf(route, '', body as object);
          expect(errors).toContainEqual(expect.objectContaining({ path, code: 'UNKNOWN_FIELD' }));
        }
      }
      expect(depth).toBe(4); // a policy of the settings
    },
  );

  it.each([
    ['UNKNOWN_FIELD', '?nothing=1', 'nothing'],
    ['QUERY_DUPLICATE', '?nothing=1&nothing=2', 'nothing'],
    ['QUERY_INVALID', '?nothing[]=1', 'nothing[]'],
  ])('a parameter of the query, on every route: %s', async (code, query, path) => {
    const all = routes().filter(route => !allowsAny(route));
    expect(all.length).toBeGreaterThan(40);
    for (const route of all) {
      const documented = route.operation.responses['400'] as { description: string };
      expect(documented.description).toContain(code);
      const problem = await refusalOf(route, query);
      expect([problem.code, problem.errors?.map(error => error.path)]).toEqual([code, [path]]);
    }
  });

  it('a body with something in it, on every write that takes none', async () => {
    const all = routes().filter(route => route.method !== 'GET' && !withBody(route));
    expect(all.map(({ target }) => target)).toContain('/api/v1/agents/anything/token');
    expect(all.length).toBeGreaterThan(6);
    for (const route of all) {
      const documented = Object.keys(route.operation.responses);
      expect(documented).toEqual(expect.arrayContaining(['400', '413', '415']));
      const unknown = await refusalOf(route, '', { unknown: 1 });
      expect([unknown.code, unknown.errors?.[0]?.path]).toEqual(['UNKNOWN_FIELD', 'unknown']);
      expect((await refusalOf(route, '', ['x'])).code).toBe('BODY_INVALID');
    }
  });

  it('but for a body without anything in it', async () => {
    const { id } = (await app.post('/api/v1/agents', { name: 'Without a body', type: 'test' })).body;
    for (const body of [undefined, {}])
      expect((await app.post(`/api/v1/agents/${id as string}/token`, body)).status).toBe(201);
    expect((await app.request('DELETE', `/api/v1/agents/${id as string}`, {})).status).toBe(204);
  });

  it('but for the probes: who asks them adds what he likes', async () => {
    const probes = routes().filter(allowsAny);
    expect(probes.map(({ target }) => target)).toEqual(['/health', '/health/live', '/health/ready']);
    for (const { target, operation } of probes) {
      expect((await app.get(`${target}?a=1&a=2&b[]=3&toString=4`)).status).toBe(200);
      expect(operation.responses['400']).toBeUndefined();
    }
  });

  it('but not before the guard: who may not come in is told nothing of it', async () => {
    const stranger = { 'X-Forwarded-For': '203.0.113.7' };
    const token = '/api/v1/agents/anything/token';
    const answer = await app.post(`${token}?nothing=1`, { unknown: 1 }, stranger);
    expectProblem(answer, 403, 'ADMIN_LOOPBACK_ONLY');
  });

  it('and a path of administrators that no route answers is a 404, whatever comes with it', async () => {
    expectProblem(await app.post('/api/v1/cache/nothing?a=1', { unknown: 1 }), 404, 'NOT_FOUND');
  });
});
