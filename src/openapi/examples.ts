import type { OpenAPIObject } from '@nestjs/swagger';
import { operationsOf, type Content, type Reference, type Schema, type Schemas } from './operations';

/** Gives every body that has none an example, put together from those of its properties. */
export function addExamples(document: OpenAPIObject): void {
  const schemas = document.components?.schemas ?? {};
  for (const { operation } of operationsOf(document)) {
    const answers = Object.values(operation.responses);
    for (const part of [operation.requestBody, ...answers]) {
      if (part && !('$ref' in part)) addTo(part.content, schemas);
    }
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (answer && !('$ref' in answer) && answer.description === '')
        answer.description = operation.summary ?? status;
    }
  }
}

function addTo(content: Content | undefined, schemas: Schemas): void {
  for (const media of Object.values(content ?? {})) {
    if (media.example !== undefined || media.examples || !media.schema) continue;
    const example = exampleOf(media.schema, schemas);
    if (example !== undefined) media.example = example;
  }
}

/**
 * An example of a schema: its own, or what its properties, items and alternatives have. A property without one is left out;
 * the tests see to it that each has one.
 */
export function exampleOf(schema: Schema | Reference, schemas: Schemas): unknown {
  if ('$ref' in schema) {
    const target = schemas[schema.$ref.slice('#/components/schemas/'.length)];
    return target && exampleOf(target, schemas);
  }
  if (schema.example !== undefined) return schema.example as unknown;
  if (schema.default !== undefined) return schema.default as unknown;
  if (schema.enum?.length) return (schema.enum as unknown[])[0];
  if (schema.allOf?.length) return Object.assign({}, ...schema.allOf.map(each => exampleOf(each, schemas)));
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives?.length) return exampleOf(alternatives[0]!, schemas);
  if (schema.type === 'array') {
    const item = schema.items && exampleOf(schema.items, schemas);
    return item === undefined ? [] : [item];
  }
  if (schema.properties) {
    const parts = Object.entries(schema.properties).map(([name, part]) => [name, exampleOf(part, schemas)]);
    return Object.fromEntries(parts.filter(([, value]) => value !== undefined));
  }
  if (typeof schema.additionalProperties === 'object') {
    const value = exampleOf(schema.additionalProperties, schemas);
    return value === undefined ? undefined : { key: value };
  }
  if (schema.type === 'boolean') return true;
  if (schema.format === 'date-time') return '2026-09-17T08:25:36.000Z';
  if (schema.format === 'uuid') return '4f1c2a9e-1f0b-4b7c-9a53-0a4f5f3f2f11';
  return undefined;
}
