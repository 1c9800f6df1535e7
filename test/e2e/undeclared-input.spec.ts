import type { OpenAPIObject } from '@nestjs/swagger';
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
});
