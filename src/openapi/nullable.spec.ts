import { DocumentBuilder, type OpenAPIObject } from '@nestjs/swagger';
import { allowNull } from './nullable';
import type { Schema } from './operations';

const onlyNull = { type: 'object', nullable: true, enum: [null] };

function withNull(schema: Schema): unknown {
  const document: OpenAPIObject = {
    ...new DocumentBuilder().build(),
    paths: {},
    components: { schemas: { Outer: { type: 'object', properties: { schema } } } },
  };
  allowNull(document);
  return (document.components!.schemas!['Outer'] as Schema).properties!['schema'];
}

describe('null in the OpenAPI document', () => {
  it('is an alternative to a schema that is referred to, which alone would forbid it', () => {
    const $ref = '#/components/schemas/Inner';
    expect(withNull({ type: 'object', nullable: true, description: 'x', allOf: [{ $ref }] })).toEqual({
      description: 'x',
      anyOf: [{ $ref }, onlyNull],
    });
  });

  it('is one more of alternatives', () => {
    expect(withNull({ nullable: true, oneOf: [{ type: 'string' }, { type: 'number' }] })).toEqual({
      oneOf: [{ type: 'string' }, { type: 'number' }, onlyNull],
    });
  });

  it('is one of listed values', () => {
    expect(withNull({ type: 'string', nullable: true, enum: ['a'] })).toEqual({
      type: 'string',
      nullable: true,
      enum: ['a', null],
    });
  });

  it('is left as it is beside a type', () => {
    expect(withNull({ type: 'string', nullable: true })).toEqual({ type: 'string', nullable: true });
  });
});
