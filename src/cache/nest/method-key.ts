import { types } from 'node:util';
import { joinKey, lengthPrefixed } from '../http';

/** What an argument may be to stand in a key; anything else makes a call go past the cache. */
export type CacheKeyPart =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | readonly CacheKeyPart[]
  | { readonly [name: string]: CacheKeyPart };

/** Why arguments cannot be a key. */
export class UnkeyableArgumentError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnkeyableArgumentError';
  }
}

const maxDepth = 32;
const maxCharacters = 16_384;

/**
 * The key of a call: the head and one part an argument. Every value carries its type and its length, so that `1` and `'1'`,
 * `null` and `undefined`, `0` and `-0`, `['a,b']` and `['a', 'b']` differ, while objects agree whatever the order of
 * their properties. Properties and trailing arguments that are `undefined` count as absent, as they do for most callees.
 * Instances of classes count by their enumerable properties, or by `toJSON` if they have one: a parameter object made
 * by validation and a literal are the same. Instances with neither could hide what they are and are refused.
 *
 * @throws UnkeyableArgumentError for functions, symbols, cycles, and whatever is deeper than 32 or longer than 16,384, and for what is
 *   no list of arguments at all
 */
export function methodKey(head: string, args: readonly unknown[]): string {
  // Anything else has no arguments to tell calls apart by: all of them would share one entry.
  if (!Array.isArray(args)) throw new UnkeyableArgumentError('args picks no list of arguments');
  let count = args.length;
  while (count > 0 && args[count - 1] === undefined) count -= 1;
  const parts: string[] = [];
  let characters = 0;
  for (let index = 0; index < count; index += 1) {
    const part = encode(args[index], 0);
    characters += part.length;
    if (characters > maxCharacters)
      throw new UnkeyableArgumentError(`the arguments are longer than ${maxCharacters} characters`);
    parts.push(part);
  }
  return joinKey(head, parts);
}

function encode(value: unknown, depth: number): string {
  if (depth > maxDepth)
    throw new UnkeyableArgumentError(`an argument is deeper than ${maxDepth}, or refers to itself`);
  switch (typeof value) {
    case 'string':
      if (value.length > maxCharacters)
        throw new UnkeyableArgumentError(`a text is longer than ${maxCharacters} characters`);
      return `s${lengthPrefixed(value)}`;
    case 'number':
      return Object.is(value, -0) ? 'n-0' : `n${value}`;
    case 'bigint':
      return `i${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'undefined';
    case 'object':
      return value === null ? 'null' : encodeObject(value, depth);
    case 'function':
    case 'symbol':
      throw new UnkeyableArgumentError(`a ${typeof value} cannot be in a key`);
  }
}

function encodeObject(value: object, depth: number): string {
  if (types.isDate(value)) return `d${value.getTime()}`;
  if (types.isUint8Array(value)) return `b${lengthPrefixed(Buffer.from(value).toString('base64url'))}`;
  if (Array.isArray(value)) return `[${value.map(item => encode(item, depth + 1)).join(',')}]`;
  if (types.isSet(value)) return `S${encode([...value], depth)}`;
  if (types.isMap(value)) return `M${encode([...value], depth)}`;
  if (isPlain(value)) return encodeProperties(value, depth);
  if (hasToJson(value)) return `j${encode(value.toJSON(), depth + 1)}`;
  if (types.isPromise(value) || ArrayBuffer.isView(value) || Object.keys(value).length === 0) {
    throw new UnkeyableArgumentError(`an instance of ${value.constructor.name} does not show what it is`);
  }
  return encodeProperties(value, depth);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** Made by a literal, `JSON.parse` or `Object.create(null)`, of this realm or another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty'))
  );
}

function encodeProperties(value: object, depth: number): string {
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw new UnkeyableArgumentError('a property named by a symbol cannot be in a key');
  const parts: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== undefined) parts.push(`${lengthPrefixed(name)}=${encode(item, depth + 1)}`);
  }
  return `{${parts.join(',')}}`;
}
