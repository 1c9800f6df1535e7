import type { OpenAPIObject } from '@nestjs/swagger';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

const compiled = new WeakMap<object, ValidateFunction>();
const readers = new WeakMap<OpenAPIObject, Ajv>();

/** Where a value is not what a schema of the document says; empty when it is. */
export function schemaErrors(document: OpenAPIObject, schema: object, value: unknown): string[] {
  let validate = compiled.get(schema);
  if (!validate) compiled.set(schema, (validate = readerOf(document).compile(absolute(schema) as object)));
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const name = (params as { additionalProperty?: string }).additionalProperty;
    return `${instancePath || '$'} ${message ?? ''}${name === undefined ? '' : `: ${name}`}`;
  });
}

function readerOf(document: OpenAPIObject): Ajv {
  let ajv = readers.get(document);
  if (!ajv) {
    // OpenAPI 3.0 has words of its own in a schema (example, nullable), which Ajv reads or passes over.
    ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    ajv.addSchema(absolute({ components: document.components }) as object, 'openapi');
    readers.set(document, ajv);
  }
  return ajv;
}

/**
 * A part of the document as JSON Schema: references lead to it from anywhere, and what has properties has no others, which the
 * document leaves open for those to come. `nullable` is Ajv's as well, and says nothing without a type.
 */
function absolute(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(absolute);
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part).map(([name, value]) => [
    name,
    name === '$ref' && typeof value === 'string' ? value.replace(/^#/, 'openapi#') : absolute(value),
  ]);
  const { nullable, ...rest } = Object.fromEntries(entries) as Record<string, unknown>;
  if (isSchemaOfObject(rest)) rest['additionalProperties'] ??= false;
  return 'type' in rest && nullable !== undefined ? { ...rest, nullable } : rest;
}

/** A schema, and not an object with a property that is called so: a name there leads to a schema, which is no text. */
function isSchemaOfObject({ type, properties }: Record<string, unknown>): boolean {
  return typeof properties === 'object' && (type === undefined || type === 'object');
}
