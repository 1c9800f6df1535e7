import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf, type Operation, type Reference, type Schema } from '../../src/openapi/operations';
import { Application } from './harness/application';
import { type Class, documentedLimits, limitsOfSchema, validatedLimits } from './harness/validation-limits';

interface Input {
  /** As the document names the operation. */
  name: string;
  kind: 'body' | 'query';
  type: Class;
}

/** The class of every body and of every query, as the handlers name them. */
function inputs(): Input[] {
  const source = join(__dirname, '../../src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const controllers = files
    .filter(file => file.endsWith('.controller.ts'))
    .flatMap(file => Object.values(jest.requireActual<Record<string, Class>>(join(source, file))));
  return controllers.flatMap(controller =>
    Object.getOwnPropertyNames(controller.prototype).flatMap(handler => {
      const args = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler) as
        Record<string, { index: number }> | undefined;
      const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler) as
        Class[] | undefined;
      return Object.entries(args ?? {}).flatMap(([key, { index }]): Input[] => {
        const type = types?.[index];
        if (!type || type === Object) return [];
        const name = `${controller.name}_${handler}`;
        if (key.startsWith(`${RouteParamtypes.BODY}:`)) return [{ name, kind: 'body', type }];
        return key.startsWith(`${RouteParamtypes.QUERY}:`) ? [{ name, kind: 'query', type }] : [];
      });
    }),
  );
}

/** What the handler looks at itself, so that its refusal has a code of its own. */
const checkedByHandlers: Record<string, Record<string, object>> = {
  CacheAdminController_clear: { pattern: { maxLength: 256 } }, // PATTERN_INVALID, of bytes
};

const all = inputs();
let document: OpenAPIObject;
beforeAll(async () => {
  const app = await Application.start();
  document = (await app.get<OpenAPIObject>('/docs/openapi.json')).body;
  await app.stop();
}, 60_000);

function resolve(part: Schema | Reference): Schema {
  if (!('$ref' in part)) return part;
  return document.components!.schemas![part.$ref.slice('#/components/schemas/'.length)] as Schema;
}

const documented: Record<Input['kind'], (operation: Operation) => unknown> = {
  body: ({ requestBody }) => {
    const { content } = requestBody as Exclude<typeof requestBody, Reference | undefined>;
    return documentedLimits(resolve(content['application/json']!.schema!), resolve);
  },
  query: ({ parameters = [] }) =>
    Object.fromEntries(
      (parameters as Exclude<(typeof parameters)[number], Reference>[])
        .filter(parameter => parameter.in === 'query')
        .map(({ name, required = false, schema }) => [
          name,
          { required, ...limitsOfSchema(schema!, resolve) },
        ]),
    ),
};

describe('the limits of the OpenAPI document', () => {
  it('are compared for each class of a body or a query', () => {
    expect(all.filter(({ kind }) => kind === 'body').length).toBeGreaterThanOrEqual(10);
    expect(all.filter(({ kind }) => kind === 'query').length).toBeGreaterThanOrEqual(8);
  });

  it.each(all)('are those that the $kind of $name is checked by', ({ name, kind, type }) => {
    const { operation } = operationsOf(document).find(each => each.operation.operationId === name)!;
    const limits = validatedLimits(type, kind === 'query');
    for (const [field, more] of Object.entries(checkedByHandlers[name] ?? {}))
      limits[field] = { ...limits[field], ...more };
    expect(documented[kind](operation)).toEqual(limits);
  });
});
