import type { OpenAPIObject } from '@nestjs/swagger';
import type { Schema } from './operations';

/** Null and nothing else, in words of OpenAPI 3.0, which has no type for it. */
const onlyNull: Schema = Object.freeze({ type: 'object', nullable: true, enum: [null] });

/**
 * Lets null through where `nullable` alone does not: `enum` forbids what it does not list, and a schema referred to forbids
 * the null that is allowed beside it (OpenAPI 3.0.3, clarified proposal on nullable). There null becomes a value, or an
 * alternative, of its own.
 */
export function allowNull(document: OpenAPIObject): void {
  visit(document.components?.schemas);
  visit(document.paths);
}

function visit(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  // Before this one: the alternative that is added is not looked at again.
  for (const child of Object.values(part)) visit(child);
  const schema = part as Schema;
  if (schema.nullable !== true) return;
  // A list of its own: the one that is there belongs to whoever validates with it.
  if (schema.enum && !schema.enum.includes(null)) schema.enum = [...(schema.enum as unknown[]), null];
  if (schema.allOf) {
    const { allOf } = schema;
    schema.anyOf = [allOf.length === 1 ? allOf[0]! : { allOf }, onlyNull];
    delete schema.allOf;
  } else if (schema.oneOf) schema.oneOf = [...schema.oneOf, onlyNull];
  else if (schema.anyOf) schema.anyOf = [...schema.anyOf, onlyNull];
  else return;
  // Said by the alternative now. Beside alternatives without a type it would say nothing.
  delete schema.nullable;
  delete schema.type;
}
