import { plainToInstance } from 'class-transformer';
import { getMetadataStorage } from 'class-validator';
import type { ValidationMetadata } from 'class-validator/types/metadata/ValidationMetadata';
import { documentedPattern } from '../../../src/http/documented-pattern';
import { maxModelNameCharacters } from '../../../src/models/model-name';
import type { Reference, Schema } from '../../../src/openapi/operations';

export type Class = new () => object;
type Resolve = (part: Schema | Reference) => Schema;
type Limits = Record<string, unknown>;

/** What each validator asks for, in the words of a schema. One that is not here has to be added. */
const limitsOf: Readonly<Record<string, (constraints: readonly unknown[]) => Limits>> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object' }),
  isArray: () => ({ type: 'array' }),
  isIn: ([values]) => inWords({ enum: values }),
  min: ([minimum]) => ({ minimum }),
  max: ([maximum]) => ({ maximum }),
  maxLength: ([maxLength]) => ({ type: 'string', maxLength }),
  isLength: ([minLength, maxLength]) => ({ type: 'string', minLength, maxLength }),
  matches: ([pattern]) => ({ type: 'string', patterns: [documentedPattern(pattern as RegExp)] }),
  isUrl: () => ({ type: 'string' }), // a URI of RFC 3986, as schemas have it, is less
  isModelName: () => ({ type: 'string', maxLength: maxModelNameCharacters }), // with a pattern that its words tell
  arrayMinSize: ([minItems]) => ({ minItems }),
  arrayMaxSize: ([maxItems]) => ({ maxItems }),
  arrayUnique: () => ({ uniqueItems: true }),
};

/** Which fields there are, which have to be, and what each may be: as class-validator has it. `null` is no value of a query. */
export function validatedLimits(type: Class, isQuery: boolean): Record<string, Limits> {
  const fields: Record<string, Limits> = {};
  for (const each of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false)) {
    const field = (fields[each.propertyName] ??= { required: true });
    addTo(field, each, isQuery);
    if (each.type === 'nestedValidation')
      field['fields'] = validatedLimits(nestedClass(type, each.propertyName), isQuery);
  }
  return fields;
}

function addTo(field: Limits, { type, name, constraints, each }: ValidationMetadata, isQuery: boolean): void {
  if (type === 'conditionalValidation') field['required'] = false;
  if (name === 'isOptional' && !isQuery) field['nullable'] = true;
  if (type !== 'customValidation') return;
  const limits = limitsOf[name ?? '']?.((constraints ?? []) as unknown[]);
  if (!limits) throw new Error(`nobody has said what ${name} is in a schema`);
  merge(each ? ((field['items'] ??= {}) as Limits) : field, limits);
}

function merge(into: Limits, limits: Limits): void {
  const patterns = [into['patterns'], limits['patterns']].flatMap(each => each ?? []);
  Object.assign(into, limits, patterns.length > 0 && { patterns: patterns.sort() });
}

/** The class that an object in this place becomes. */
function nestedClass(type: Class, property: string): Class {
  const made = plainToInstance(type, { [property]: {} }) as Record<string, object>;
  return made[property]!.constructor as Class;
}

/** Listed values, null aside, and what they are. */
function inWords({ enum: values }: { enum?: unknown }): Limits {
  const others = (values as unknown[]).filter(value => value !== null);
  const isNullable = others.length < (values as unknown[]).length;
  return { type: typeof others[0], enum: others, ...(isNullable && { nullable: true }) };
}

const sameInBoth = [
  ...['type', 'minimum', 'maximum', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'nullable'],
];

/** The same as a schema of the document has it. */
export function documentedLimits(schema: Schema, resolve: Resolve): Record<string, Limits> {
  const { properties = {}, required = [] } = schema;
  return Object.fromEntries(
    Object.entries(properties).map(([name, part]) => [
      name,
      { required: required.includes(name), ...limitsOfSchema(part, resolve) },
    ]),
  );
}

/** What one value may be. */
export function limitsOfSchema(part: Schema | Reference, resolve: Resolve): Limits {
  const schema = resolve(part);
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? [])].map(resolve);
  const nested = [schema, ...parts].find(each => each.properties);
  const patterns = [schema, ...parts].flatMap(each => each.pattern ?? []);
  const type = parts.find(each => each.type && !each.nullable)?.type;
  return {
    ...(type && { type }),
    ...Object.fromEntries(Object.entries(schema).filter(([name]) => sameInBoth.includes(name))),
    ...(schema.enum && inWords(schema)),
    ...(patterns.length > 0 && { patterns: patterns.sort() }),
    ...(parts.some(each => each.nullable) && { nullable: true }),
    ...(schema.items && { items: limitsOfSchema(schema.items, resolve) }),
    ...(nested && { fields: documentedLimits(nested, resolve) }),
  };
}
